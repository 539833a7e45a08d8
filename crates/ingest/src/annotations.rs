//! Notes and tags: what people write on a recording.

use docket_base::ids::{RecordingId, RegisterId};
use docket_catalog::Recording;
use docket_ledger::{Actor, RegisterValue, Subject, kinds, register::AnnotationRow};

use crate::text::{Limit, version_number};
use crate::{Ingest, IngestError, Result};

/// Most tags of a recording.
const MOST_TAGS: usize = 50;

/// New notes and tags; `None` leaves them as they are.
#[derive(Debug, Clone, Default)]
pub struct Annotation {
    /// Free text.
    pub notes: Option<String>,
    /// In the order given; doubles are dropped.
    pub tags: Option<Vec<String>>,
}

impl Ingest {
    /// Writes notes and tags. `seen_version` is the recording's version that the writer saw.
    ///
    /// # Errors
    /// Stale when it has changed meanwhile; refused when a text is too long.
    pub async fn annotate(
        &self,
        actor: Actor,
        id: RecordingId,
        seen_version: i64,
        wanted: Annotation,
    ) -> Result<Recording> {
        let before = self
            .catalog
            .recording(id)
            .await?
            .ok_or_else(|| IngestError::not_found("recording", id))?;
        if before.version != seen_version {
            return Err(docket_catalog::Error::Stale {
                what: "recording",
                id: id.to_string(),
            }
            .into());
        }
        let notes = wanted
            .notes
            .map(|text| Limit::NOTE.check("notes", text))
            .transpose()?;
        let tags = wanted.tags.map(clean_tags).transpose()?;
        let row = AnnotationRow {
            notes: notes.clone().unwrap_or_else(|| before.notes.clone()),
            tags: tags.clone().unwrap_or_else(|| before.tags.clone()),
        };
        let version = version_number(before.version + 1)?;
        let file = RegisterId::from_bytes(*id.as_bytes());
        let annotation = self
            .put_register(file, version, RegisterValue::Annotation(row))
            .await?;
        let mut change = self.catalog.change().await?;
        let after = change
            .describe(id, Some(seen_version), notes.as_deref(), tags.as_deref())
            .await?;
        let body = kinds::RecordingAnnotated {
            annotation,
            version: version_number(after.version)?,
        };
        let event = self.event(actor, Some(before.unit_id), Subject::recording(id), body)?;
        self.commit(change, &[event]).await?;
        Ok(after)
    }
}

fn clean_tags(tags: Vec<String>) -> Result<Vec<String>> {
    let mut clean: Vec<String> = Vec::with_capacity(tags.len().min(MOST_TAGS));
    for tag in tags {
        let tag = Limit::NAME.check("tag", tag.trim().to_owned())?;
        if !tag.is_empty() && !clean.contains(&tag) {
            clean.push(tag);
        }
    }
    if clean.len() > MOST_TAGS {
        return Err(IngestError::Refused(format!("at most {MOST_TAGS} tags")));
    }
    Ok(clean)
}
