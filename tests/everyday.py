"""Which of the tests that are made over and over, once for each technique, base or head, every run makes.

Of these one in so many is made in every run, the same ones always; the nightly run makes all. A test that is made once
and takes long is marked slow where it stands.
"""

from __future__ import annotations

import zlib
from pathlib import Path

ONE_IN = {
    "bases/known/test_efficientnet_lite0::test_a_made_file_becomes_the_network_that_it_was": 2,
    "bases/test_hub_ids::test_what_is_no_base": 2,
    "conformance/test_compositions::test_alone_elsewhere": 3,
    "conformance/test_compositions::test_alone_on_other_tasks": 9,
    "conformance/test_cost::test_alone": 5,
    "conformance/test_cost::test_elsewhere": 3,
    "conformance/test_cost::test_more": 3,
    "conformance/test_effects::test_all_that_is_trained_gets_a_gradient": 3,
    "conformance/test_effects::test_it_changes_what_it_says": 3,
    "conformance/test_effects::test_null_setting_is_absence": 5,
    "conformance/test_every_base::test_dropout_is_as_it_says": 3,
    "conformance/test_every_base::test_every_weight_is_trained": 3,
    "conformance/test_every_base::test_frozen_blocks": 3,
    "conformance/test_every_base::test_it_is_fused_by_rows_and_by_tokens": 3,
    "conformance/test_every_base::test_saved_and_restored": 3,
    "conformance/test_every_base::test_the_fingerprint_tells_what_is_prepared_otherwise": 3,
    "conformance/test_every_base::test_the_same_value_is_prepared_the_same": 3,
    "conformance/test_every_base::test_tokens": 3,
    "conformance/test_every_base::test_what_a_row_is_does_not_depend_on_the_seed": 3,
    "conformance/test_every_head::test_a_model_with_it_is_saved_and_loaded": 3,
    "conformance/test_every_head::test_dropout_is_as_it_says": 3,
    "conformance/test_every_head::test_every_technique_composes_or_is_refused": 15,
    "conformance/test_every_head::test_it_learns_all_that_it_holds": 3,
    "conformance/test_every_head::test_rows_are_predicted_alone_as_together": 3,
    "conformance/test_every_head::test_saved_and_restored": 3,
    "conformance/test_every_head::test_solving": 9,
    "conformance/test_every_metric::test_it_is_what_the_reference_says_of_weighted_rows": 3,
    "conformance/test_every_task::test_a_file_is_predicted": 3,
    "conformance/test_every_task::test_a_stopped_run_goes_on_to_the_same_model": 3,
    "conformance/test_every_task::test_every_technique_composes_or_is_refused": 15,
    "conformance/test_every_task::test_learning_changes_no_settings": 3,
    "conformance/test_every_task::test_settings_are_written_and_read": 3,
    "conformance/test_folding::test_saved_is_what_was_scored": 9,
    "conformance/test_order::test_order_of_the_list_changes_nothing": 6,
    "conformance/test_resume::test_alone": 9,
    "conformance/test_resume::test_at_any_step": 9,
    "conformance/test_resume::test_elsewhere": 9,
    "conformance/test_workers::test_alone": 9,
    "conformance/test_workers::test_elsewhere": 3,
    "conformance/test_workers::test_together": 3,
    "core/clock/test_pace::test_stopped_and_resumed_it_is_the_same_run": 3,
    "core/parallel/test_together::test_workers_end_as_one": 3,
    "core/test_pausing::test_paused_and_gone_on_with": 3,
    "core/training/test_compiled::test_predictions_gradients_and_names_stay": 3,
    "core/training/test_step_memory::test_the_run_is_left_untouched": 9,
    "core/training/test_timing::test_timing_leaves_the_run_untouched": 4,
    "data/columns/test_forms::test_an_amount_is_learned_from_in_whatever_form_it_is_written": 3,
    "data/media/test_paths::test_file_names_are_never_learned_as_words": 3,
    "data/quality/test_near_texts::test_pairs_are_those_of_comparing_all_with_all": 3,
    "deploy/transformers/test_transformers::test_a_base_with_a_program": 3,
    "deploy/transformers/test_transformers::test_the_architectures_own_classifier": 3,
    "discovery/test_packages::test_the_list_shows_packages_and_what_is_broken": 3,
    "evidence/ablation/test_calibration::test_a_useless_arm_is_seldom_taken_for_useful": 5,
    "evidence/rl/test_rl_curve::test_intervals_are_those_of_a_bootstrap_made_one_draw_at_a_time": 2,
    "evidence/sure/test_class_thresholds::test_of_three_classes_it_is_nearly_the_best_of_all_weights": 3,
    "fuzz/test_kills::test_a_file_is_the_old_or_the_new_one": 2,
    "networks/heads/solving/test_boosted_trees::test_it_predicts_what_lightgbm_does": 3,
    "networks/heads/solving/test_kernel::test_near_duplicates_are_solved": 3,
    "networks/hub/test_hub::test_yes_on_the_terminal_runs_no_code": 2,
    "networks/image/test_image::test_features_are_the_models_own_from_every_depth": 3,
    "rl/test_checkpoints::test_what_is_brought_back_learns_on_bit_for_bit": 3,
    "rl/test_policy_files::test_bases_that_read_texts_and_pictures": 2,
    "rl/test_run::test_every_algorithm_and_kind_of_observation_learns": 3,
    "runs/candidates/test_orders::test_every_other_fine_tune_trains": 5,
    "runs/job/test_data_file::test_a_damaged_one_is_refused": 3,
    "runs/job/test_long_texts::test_windows_go_with_caches_and_techniques": 3,
    "runs/test_cached_training::test_probabilities_differ_by_rounding_alone": 3,
    "runs/test_default::test_a_first_run_that_fails_is_left_out_and_the_call_goes_on": 5,
    "runs/test_joined_inputs::test_fit_save_and_predict_elsewhere": 3,
    "runs/test_joined_inputs::test_techniques_work_on_joined_texts": 3,
    "runs/test_sound_inputs::test_techniques_on_pretrained_bases": 4,
    "runs/tracking/test_mlflow::test_damaged_notes_of_earlier_runs_begin_new_ones": 3,
    "runs/tune/test_on_cluster::test_it_is_as_here": 2,
    "runs/tune/test_trial_run::test_a_trial_that_fails_is_said_and_ends_nothing": 8,
    "runs/tune/test_trial_run::test_ctrl_c_passes_and_the_trial_is_as_it_was": 3,
    "runs/tune/test_trial_run::test_rung_by_rung_is_the_run_that_never_paused": 3,
    "saved_models/test_saved_models::test_a_row_can_be_made_of_the_version_that_runs": 3,
    "techniques/reward/test_reward_objective::test_it_climbs": 3,
    "test_ensembles::test_a_wrong_list_of_members_is_met_while_loading": 3,
    "test_estimators::test_scikit_learns_own_checks": 2,
    "test_labels_as_written::test_lists_of_labels_come_back_as_they_are_written": 3,
    "test_labels_as_written::test_writings_of_one_class": 3,
    "test_targets::test_every_head_is_solved_on_the_rows_that_have_the_target": 2,
    "uses/test_few_shot::test_a_model_learns_new_classes_and_is_a_model_like_any_other": 2,
}
TESTS = Path(__file__).parent


def left_to_the_night(file: Path, name: str) -> bool:
    """Whether this test, with its parameters, is not made in every run."""
    function = f"{file.relative_to(TESTS).with_suffix('').as_posix()}::{name.partition('[')[0]}"
    return zlib.crc32(name.encode()) % ONE_IN.get(function, 1) != 0
