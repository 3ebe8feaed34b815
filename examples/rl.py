"""A policy that learns by reward: balance a pole, then act without the environment's library."""

import gymnasium

import graftwork as gw


def main() -> None:
    learned = gw.rl("CartPole-v1", steps=8192, episodes=10, out="runs/cart", verbose=False)
    print(learned)
    policy = gw.load_policy("runs/cart")
    env = gymnasium.make("CartPole-v1")
    seen, _ = env.reset(seed=7)
    steps, ended, cut = 0, False, False
    while not (ended or cut):
        seen, _, ended, cut, _ = env.step(policy.act(seen))
        steps += 1
    env.close()
    print(f"the pole stood for {steps} steps")


if __name__ == "__main__":
    main()
