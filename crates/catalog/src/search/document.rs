//! A recording's document in the search index. Made in one place from what the row and its links say,
//! in the transaction that changed them, so it can't drift.

use std::collections::BTreeSet;

use docket_base::ids::{CaseId, OfficerId, RecorderId, RecordingId, StationId, UnitId};

use super::tokens;
use crate::engine::Db;
use crate::engine::dialect::index_put;
use crate::engine::record::rows;
use crate::engine::value::args;
use crate::error::{Error, Result};
use crate::words::{RecordingKind, RecordingState};

/// The sorts of fact tokens. `w` is taken by words.
pub(crate) mod sort {
    pub(crate) const UNIT: char = 'u';
    pub(crate) const OFFICER: char = 'o';
    pub(crate) const RECORDER: char = 'r';
    pub(crate) const STATION: char = 's';
    pub(crate) const CASE: char = 'c';
    pub(crate) const TAG: char = 't';
    pub(crate) const STATE: char = 'q';
    pub(crate) const KIND: char = 'k';
    pub(crate) const MARK: char = 'm';
}

rows! {
    /// What of a recording is searched by.
    pub struct Searched in "recordings" {
        /// Key in the index.
        pub sort_key: i64,
        /// See [`crate::Recording`].
        pub state: RecordingState,
        /// As above.
        pub kind: RecordingKind,
        /// As above.
        pub file_name: String,
        /// As above.
        pub notes: String,
        /// As above.
        pub unit_id: UnitId,
        /// As above.
        pub officer_id: Option<OfficerId>,
        /// As above.
        pub recorder_id: Option<RecorderId>,
        /// As above.
        pub station_id: Option<StationId>,
        /// As above.
        pub tags: Vec<String>,
        /// As above.
        pub marks: Vec<String>,
    }

    /// A unit above (or the unit itself).
    pub struct Ancestor in "unit_ancestors" {
        /// Its id.
        pub ancestor_id: UnitId,
    }

    /// A case a recording is linked to.
    pub struct LinkedCase in "links" {
        /// Its id.
        pub case_id: CaseId,
    }
}

/// Writes a recording's document anew. Called by every mutator that changed what it is made of.
pub(crate) async fn reindex(db: &mut Db, id: RecordingId) -> Result<()> {
    let sql = "SELECT sort_key, state, kind, file_name, notes, unit_id, officer_id, recorder_id, station_id, tags, marks
        FROM recordings WHERE id = $1";
    let row: Option<Searched> = db.one(sql, args![id]).await?;
    let row = row.ok_or_else(|| Error::missing("recording", id))?;
    let above = "SELECT ancestor_id FROM unit_ancestors WHERE unit_id = $1";
    let units: Vec<Ancestor> = db.all(above, args![row.unit_id]).await?;
    let cases: Vec<LinkedCase> = db
        .all(
            "SELECT case_id FROM links WHERE recording_id = $1",
            args![id],
        )
        .await?;
    index_put(db, row.sort_key, &document(&row, &units, &cases)).await
}

fn document(row: &Searched, units: &[Ancestor], cases: &[LinkedCase]) -> Vec<String> {
    let mut out = BTreeSet::new();
    tokens::of_text(&row.file_name, &mut out);
    tokens::of_text(&row.notes, &mut out);
    out.extend(
        units
            .iter()
            .map(|unit| tokens::of_fact(sort::UNIT, unit.ancestor_id)),
    );
    out.extend(
        cases
            .iter()
            .map(|link| tokens::of_fact(sort::CASE, link.case_id)),
    );
    out.extend(row.tags.iter().map(|tag| tokens::of_phrase(sort::TAG, tag)));
    out.extend(
        row.marks
            .iter()
            .map(|mark| tokens::of_phrase(sort::MARK, mark)),
    );
    out.extend(row.officer_id.map(|id| tokens::of_fact(sort::OFFICER, id)));
    out.extend(
        row.recorder_id
            .map(|id| tokens::of_fact(sort::RECORDER, id)),
    );
    out.extend(row.station_id.map(|id| tokens::of_fact(sort::STATION, id)));
    out.insert(tokens::of_fact(sort::STATE, row.state));
    out.insert(tokens::of_fact(sort::KIND, row.kind));
    out.into_iter().collect()
}
