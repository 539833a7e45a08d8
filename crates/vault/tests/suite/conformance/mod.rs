//! What every vault must do. [`all`] runs every case on one store, each with ids of its own.

mod small;
mod uploads;

use std::sync::Arc;

use docket_vault::Vault;
use futures_util::future::BoxFuture;

use crate::things::Ids;

/// Opens a vault.
pub type Opener = Box<dyn Fn() -> BoxFuture<'static, Arc<dyn Vault>> + Send + Sync>;

/// Where a vault lies. Opening it again is what a restarted process does.
pub struct Place {
    pub open: Opener,
    pub ids: Ids,
    /// Sizes that lie on both sides of what this vault treats as a unit.
    pub unit_bytes: usize,
    /// Whether bytes of an open upload can be read.
    pub reads_open_uploads: bool,
}

impl Place {
    pub async fn vault(&self) -> Arc<dyn Vault> {
        (self.open)().await
    }
}

macro_rules! cases {
    ($place:expr; $($module:ident::$case:ident),* $(,)?) => {$(
        println!("case {}", stringify!($case));
        $module::$case($place).await;
    )*};
}

pub async fn all(place: &Place) {
    cases!(place;
        uploads::an_upload_survives_restarts_and_is_sealed_byte_for_byte,
        uploads::unacknowledged_bytes_are_discarded,
        uploads::a_newer_handle_stops_the_older,
        uploads::begin_starts_from_nothing_and_refuses_what_is_sealed,
        uploads::seal_can_be_repeated,
        uploads::seal_refuses_missing_bytes,
        uploads::an_empty_upload_can_be_sealed,
        uploads::quarantined_originals_can_be_read,
        uploads::a_damaged_state_is_refused,
        uploads::discard_leaves_nothing,
        uploads::ranges_are_exact,
        uploads::duplicates_share_one_object,
        small::what_is_beside_is_written_once,
        small::derivatives_are_replaceable,
        small::log_files_are_created_once,
        small::log_files_are_replaced_by_compare_and_swap,
        small::of_many_writers_one_wins,
        small::log_files_are_listed_in_pages,
        small::originals_are_listed_in_pages,
    );
}
