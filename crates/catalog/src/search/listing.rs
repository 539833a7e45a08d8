//! Listings of recordings: newest first by the best known recording time, in keyset pages.

use docket_base::Micros;
use docket_base::ids::{CaseId, OfficerId, RecorderId, StationId, UnitId};

use super::document::sort;
use super::tokens;
use crate::Catalog;
use crate::engine::dialect::search_source;
use crate::engine::{Db, Statement};
use crate::error::Result;
use crate::page::{Cursor, Page, Scope, page_limit};
use crate::recordings::clips::with_clips;
use crate::recordings::read::{RecordingView, VIEW_COLUMNS, VIEW_JOINS, with_cases};
use crate::recordings::sort_key_floor;
use crate::words::{RecordingKind, RecordingState};

/// More roots than this are not looked at to see whether they are the whole tree.
const MAX_ROOTS: usize = 100;

/// What a listing is narrowed to. Everything given must hold; the default is no narrowing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// From this recording time on (to the millisecond; creation time where there is none).
    pub from: Option<Micros>,
    /// Before this time.
    pub until: Option<Micros>,
    /// This unit and all below.
    pub unit: Option<UnitId>,
    /// By officer.
    pub officer: Option<OfficerId>,
    /// By recorder.
    pub recorder: Option<RecorderId>,
    /// By station.
    pub station: Option<StationId>,
    /// Linked to, or proposed for, this case.
    pub case: Option<CaseId>,
    /// Carries all of these tags.
    pub tags: Vec<String>,
    /// Carries all of these marks.
    pub marks: Vec<String>,
    /// In any of these states; empty: in any.
    pub states: Vec<RecordingState>,
    /// Of any of these kinds; empty: of any.
    pub kinds: Vec<RecordingKind>,
    /// Words in file name and notes: Chinese of one character up, others by their beginnings.
    pub text: Option<String>,
}

impl Catalog {
    /// A page of recordings that match the filter within the scope, newest first. A cursor stays good
    /// while recordings come and go: the page after it neither skips nor repeats any that stayed.
    ///
    /// A text without any letter or digit finds nothing.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`]; the database's.
    pub async fn recordings(
        &self,
        filter: &Filter,
        scope: &Scope,
        cursor: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<RecordingView>> {
        let before = cursor.map(Cursor::as_number).transpose()?;
        let mut db = self.read().await?;
        let everywhere = match scope {
            Scope::Everything => true,
            Scope::Subtrees(roots) => cover_the_tree(&mut db, roots).await?,
        };
        let scope = if everywhere {
            &Scope::Everything
        } else {
            scope
        };
        let Some(groups) = groups(filter, scope) else {
            return Ok(Page {
                items: Vec::new(),
                next: None,
            });
        };
        let s = listing(db.kind(), filter, &groups, before, page_limit(limit) + 1);
        let rows: Vec<RecordingView> = db.all(s.text, s.values).await?;
        let mut page = Page::cut(rows, limit, |view| Cursor::number(view.recording.sort_key));
        with_cases(&mut db, &mut page.items).await?;
        with_clips(&mut db, &mut page.items).await?;
        Ok(page)
    }
}

/// Whether these units and all below are all there are: then asking for one of them only costs.
async fn cover_the_tree(db: &mut Db, roots: &[UnitId]) -> Result<bool> {
    let mut s =
        Statement::new("SELECT count(*) AS n FROM units WHERE parent_id IS NULL AND id NOT IN ");
    s.bind_list(roots.iter().take(MAX_ROOTS));
    Ok(!roots.is_empty() && db.count(s.text, s.values).await? == 0)
}

fn listing(
    kind: crate::engine::Kind,
    filter: &Filter,
    groups: &[Vec<String>],
    before: Option<i64>,
    limit: u32,
) -> Statement {
    // The keys of the page come first, from the index alone; only those rows are then dressed. The outer
    // order is by the inner key: ordering by the row's own would tempt a planner to walk all rows.
    let mut s = Statement::new(&format!("SELECT {VIEW_COLUMNS} FROM (SELECT "));
    let key = search_source(kind, groups, &mut s);
    let until = filter.until.map(sort_key_floor);
    if let Some(below) = before.into_iter().chain(until).min() {
        s.push(&format!(" AND {key} < ")).bind(below);
    }
    if let Some(from) = filter.from {
        s.push(&format!(" AND {key} >= "))
            .bind(sort_key_floor(from));
    }
    s.push(&format!(" ORDER BY {key} DESC LIMIT ")).bind(limit);
    s.push(&format!(
        ") page JOIN recordings r ON r.sort_key = page.page_key {VIEW_JOINS} ORDER BY page.page_key DESC"
    ));
    s
}

/// The filter as groups of tokens, of each of which one must be there; `None` when nothing can match.
fn groups(filter: &Filter, scope: &Scope) -> Option<Vec<Vec<String>>> {
    let mut all: Vec<Vec<String>> = Vec::new();
    if let Scope::Subtrees(roots) = scope {
        let any: Vec<String> = roots
            .iter()
            .map(|unit| tokens::of_fact(sort::UNIT, unit))
            .collect();
        if any.is_empty() {
            return None;
        }
        all.push(any);
    }
    if let Some(text) = &filter.text {
        let words = tokens::of_question(text);
        if words.is_empty() {
            return None;
        }
        all.extend(words.into_iter().map(|word| vec![word]));
    }
    let mut one = |token: Option<String>| all.extend(token.map(|token| vec![token]));
    one(filter.unit.map(|id| tokens::of_fact(sort::UNIT, id)));
    one(filter.officer.map(|id| tokens::of_fact(sort::OFFICER, id)));
    one(filter
        .recorder
        .map(|id| tokens::of_fact(sort::RECORDER, id)));
    one(filter.station.map(|id| tokens::of_fact(sort::STATION, id)));
    one(filter.case.map(|id| tokens::of_fact(sort::CASE, id)));
    all.extend(
        filter
            .tags
            .iter()
            .map(|tag| vec![tokens::of_phrase(sort::TAG, tag)]),
    );
    all.extend(
        filter
            .marks
            .iter()
            .map(|mark| vec![tokens::of_phrase(sort::MARK, mark)]),
    );
    let states: Vec<String> = filter
        .states
        .iter()
        .map(|state| tokens::of_fact(sort::STATE, state))
        .collect();
    let kinds: Vec<String> = filter
        .kinds
        .iter()
        .map(|kind| tokens::of_fact(sort::KIND, kind))
        .collect();
    all.extend([states, kinds].into_iter().filter(|any| !any.is_empty()));
    Some(all)
}
