//! What the catalog does, on each engine: one suite, run on SQLite test by test, and on PostgreSQL in
//! one test over a server of its own where the machine has the binaries.

mod access_cases;
mod case_cases;
mod damage;
mod event_cases;
mod fixture;
mod postgres;
mod recording_cases;
mod register_cases;
mod search_cases;
mod statements;
mod unit_cases;
mod upload_cases;
mod work_cases;

/// Names every case once; makes a test of each for SQLite and one run of all for PostgreSQL.
macro_rules! cases {
    ($($module:ident :: $case:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test]
                async fn $case() {
                    let (fixture, _dir) = crate::fixture::Fixture::sqlite().await;
                    crate::$module::$case(&fixture).await;
                    fixture.catalog.close().await;
                }
            )*
        }

        #[tokio::test]
        async fn postgres_does_the_same() {
            let Some(server) = crate::postgres::Server::start() else {
                println!("skipped: this machine has no PostgreSQL server that could be started");
                return;
            };
            crate::statements::are_prepared_on_postgres(&server).await;
            $(
                println!(stringify!($case));
                let fixture = crate::fixture::Fixture::postgres(&server.schema(stringify!($case)).await).await;
                crate::$module::$case(&fixture).await;
                fixture.catalog.close().await;
            )*
        }
    };
}

cases!(
    access_cases::users_are_unique_by_folded_name,
    access_cases::wrong_passwords_lock,
    access_cases::sessions_end,
    access_cases::playback_tokens_end,
    access_cases::tokens_are_taken_back,
    access_cases::guesses_are_throttled,
    access_cases::requests_are_answered_once,
    case_cases::a_number_is_unique_within_its_unit,
    case_cases::links_are_idempotent,
    case_cases::a_held_recording_is_not_deleted,
    case_cases::what_never_arrived_is_known,
    event_cases::a_change_needs_an_event,
    event_cases::leaves_are_dense_and_in_order,
    event_cases::the_published_size_never_goes_back,
    event_cases::custody_is_paged_and_scoped,
    event_cases::events_are_restored_in_order,
    event_cases::many_at_once_stay_apart,
    recording_cases::a_recording_goes_its_way,
    recording_cases::only_what_is_empty_is_withdrawn,
    recording_cases::what_is_closed_stays_closed,
    recording_cases::duplicates_are_found_within_the_unit,
    recording_cases::describing_checks_the_version,
    recording_cases::corrections_are_appended,
    register_cases::officers_are_kept_and_found,
    register_cases::assignments_do_not_overlap,
    register_cases::listings_filter_by_officer_and_recorder,
    register_cases::stations_speak_for_themselves,
    register_cases::retention_rules_are_rows,
    register_cases::registers_are_imported,
    register_cases::a_bad_line_refuses_the_file,
    search_cases::chinese_and_latin_are_found,
    search_cases::filters_narrow,
    search_cases::scope_is_the_subtree,
    search_cases::pages_neither_skip_nor_repeat,
    search_cases::hostile_questions_are_harmless,
    unit_cases::units_are_a_tree,
    unit_cases::a_moved_unit_takes_its_recordings_along,
    upload_cases::the_offset_moves_once,
    upload_cases::a_deferred_length_is_set_once,
    upload_cases::uploads_expire_and_are_listed,
    upload_cases::partial_uploads_are_no_recordings,
    upload_cases::an_uncommitted_change_never_happened,
    work_cases::jobs_are_claimed_once,
    work_cases::a_viewing_opens_and_closes,
);
