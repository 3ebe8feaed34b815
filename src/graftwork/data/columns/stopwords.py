"""Function words that say little about a topic. Negations ("not", "不", "没") are left out: they turn a meaning."""

from __future__ import annotations

_ENGLISH = """
a about above after again all also am an and any are as at be because been before being below between both but by can
could did do does doing down during each few for from further had has have having he her here hers herself him himself
his how i if in into is it it's its itself just me more most my myself of off on once only or other our ours ourselves
out over own same she should so some such than that that's the their theirs them themselves then there these they this
those through to too under until up very was we were what when where which while who whom why will with would you your
yours yourself yourselves i'm i've i'd i'll you're you've he's she's we're we've they're they've let's there's what's
"""

_CHINESE = """
的 了 吗 呢 吧 啊 呀 嘛 哦 着 们 与 及 或 而 且 是 在 和 就 都 也 很 还 又 把 被 让 向 这 那 我 你 他 她 它
我们 你们 他们 她们 它们 咱们 自己 这个 那个 这些 那些 这样 那样 这里 那里 因为 所以 但是 而且 或者 以及 如果 虽然
然后 因此 于是 并且 还是 就是 已经 可以 一个 一些 什么 怎么 为什么 哪里 之后 之前 以后 以前 时候
"""

ENGLISH = frozenset(_ENGLISH.split())
CHINESE = frozenset(_CHINESE.split())
