//! Originals that the published log does not know: they were sealed in the vault after the last
//! checkpoint, and the catalog that knew them is gone. Their side files say what they are; their bytes
//! are read back before the log says it again.

use std::sync::Arc;

use docket_base::Sha256Digest;
use docket_base::lane::Pool;
use docket_ledger::kinds;
use docket_ledger::{Actor, Entry, SideFile, Subject};
use docket_vault::{BesideName, StoredForm, VaultKey};

use super::replay::State;
use super::shelf::Shelf;
use super::{RebuildError, RebuildProgress, Tell, Work};
use crate::event::event_row;
use crate::{IngestError, original};

const PAGE: usize = 256;

pub(super) async fn originals(
    work: Work<'_>,
    pool: &Pool,
    state: &mut State,
    progress: Tell<'_>,
) -> Result<(), RebuildError> {
    let mut after: Option<VaultKey> = None;
    // What a duplicate shares must be there first, whenever its upload began.
    let mut duplicates = Vec::new();
    loop {
        let page = work.vault.originals(after.as_ref(), PAGE).await?;
        let is_last = page.len() < PAGE;
        after = page.last().map(|stored| stored.key.clone()).or(after);
        for stored in page {
            if stored.form == StoredForm::SideFilesOnly
                || work.catalog.recording(stored.id).await?.is_some()
            {
                continue;
            }
            match stored.form {
                StoredForm::SameAs(_) => duplicates.push(stored.key),
                _ => one(work, pool, state, &stored.key, progress).await?,
            }
        }
        if is_last {
            break;
        }
    }
    for key in duplicates {
        one(work, pool, state, &key, progress).await?;
    }
    Ok(())
}

async fn one(
    work: Work<'_>,
    pool: &Pool,
    state: &mut State,
    key: &VaultKey,
    progress: Tell<'_>,
) -> Result<(), RebuildError> {
    match reseal(work, pool, state, key).await {
        Ok(()) => {
            state.sum.resealed.push(key.id());
            progress(RebuildProgress::Resealed(key.id()));
            Ok(())
        }
        Err(Unsealed::Because(reason)) => {
            let detail = format!("an original without an entry, left as it is: {reason}");
            state.sum.note(key.as_str(), detail);
            Ok(())
        }
        Err(Unsealed::Failed(error)) => Err(error),
    }
}

/// Why an original is not sealed again.
enum Unsealed {
    /// Its own fault.
    Because(String),
    /// The rebuild can't go on.
    Failed(RebuildError),
}

impl<E: Into<RebuildError>> From<E> for Unsealed {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

async fn reseal(
    work: Work<'_>,
    pool: &Pool,
    state: &mut State,
    key: &VaultKey,
) -> Result<(), Unsealed> {
    let because = |reason: &str| Err(Unsealed::Because(reason.to_owned()));
    let id = key.id();
    if work
        .catalog
        .recording_event(id, "recording.sealed")
        .await?
        .is_some()
    {
        return because("the log seals it, but its row could not be restored");
    }
    let Some(bytes) = work.vault.get_beside(key, BesideName::SideFile).await? else {
        return because("it has no side file");
    };
    let side = SideFile::parse(&bytes).map_err(|error| Unsealed::Because(error.to_string()))?;
    if side.recording != id {
        return because("its side file is another recording's");
    }
    if work.catalog.unit(side.unit).await?.is_none() {
        return because("its unit is not in the register");
    }
    read_back(work, pool, key, &side).await?;
    let body = sealed_body(key, &side, Sha256Digest::of(&bytes));
    let unit = Some(side.unit);
    let mut shelf = Shelf::default();
    shelf.put_side(key.as_str(), side);
    let (clock, random) = (work.clock, work.random);
    let subject = Subject::recording(id);
    let entry = Entry::new(clock, random, Actor::System, unit, subject, body.clone());
    let event = event_row(&entry)?;
    let mut change = work.catalog.change().await?;
    let mut next = state.clone();
    match next
        .seal(work, &mut change, &shelf, &Arc::new(entry), &body)
        .await
    {
        Ok(()) => {}
        Err(RebuildError::Catalog(error)) if super::replay::is_one_entrys_own(&error) => {
            return Err(Unsealed::Because(error.to_string()));
        }
        Err(error) => return Err(error.into()),
    }
    // A crash before this leaves the original as it was found; `check` names it.
    change.commit(&[event]).await?;
    *state = next;
    Ok(())
}

async fn read_back(
    work: Work<'_>,
    pool: &Pool,
    key: &VaultKey,
    side: &SideFile,
) -> Result<(), Unsealed> {
    let read = original::digest(work.vault, pool, key, side.sm3.is_some(), 0).await;
    let (digests, size_bytes) = match read {
        Ok(read) => read,
        Err(IngestError::Vault(error)) => return Err(Unsealed::Because(error.to_string())),
        Err(error) => return Err(error.into()),
    };
    let same =
        digests.sha256 == side.sha256 && digests.sm3 == side.sm3 && size_bytes == side.size_bytes;
    if same {
        Ok(())
    } else {
        let reason = "its bytes are not those of its side file";
        Err(Unsealed::Because(reason.to_owned()))
    }
}

fn sealed_body(
    key: &VaultKey,
    side: &SideFile,
    side_file_sha256: Sha256Digest,
) -> kinds::RecordingSealed {
    let has_mark = |mark: &str| side.marks.iter().any(|found| found == mark);
    kinds::RecordingSealed {
        state: side.state,
        kind: side.kind,
        size_bytes: side.size_bytes,
        sha256: side.sha256,
        sm3: side.sm3,
        claimed_sha256: side.claimed_sha256,
        vault_key: key.to_string(),
        side_file_sha256,
        officer: side.officer,
        recorder: side.recorder,
        station: side.station,
        token: side.token,
        docking: side.docking,
        recorded_at: side.recorded_at,
        created_at: side.created_at,
        incomplete_reason: side.incomplete_reason,
        duplicate_of: side.duplicate_of,
        key_mark: has_mark("key"),
        unknown_recorder: has_mark("unknown_recorder"),
        unknown_officer: has_mark("unknown_officer"),
    }
}
