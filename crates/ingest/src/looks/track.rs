//! Where a recording was made: the positions in it, or in a file that the recorder kept beside it, kept as a
//! derivative that is made when either of the two is there.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use docket_base::ids::{JobId, RecordingId};
use docket_catalog::{PlaybackState, Recording, RecordingState};
use docket_playback::gps::{GpsPoint, GpsSource, GpsTrack};
use docket_playback::{Error as PlaybackError, PlaybackIndex};
use serde::{Deserialize, Serialize};

use super::Look;
use crate::probe::{INDEX, derivative};
use crate::read_back::sealed_facts;
use crate::{Ingest, IngestError, Result};

/// The kind of job.
pub const TRACK: &str = "track";
/// Two lines of JSON: what the track was made of ([`Made`]), and the track as it is sent, empty where there is none.
pub const TRACK_FILE: &str = "track.jsonl";
/// Side files longer than this are not looked at.
const MOST_SIDE_BYTES: u64 = 64 << 20;
/// What side files end in, the likeliest first, and what films do.
const SIDE_FILES: [&str; 4] = ["nmea", "gps", "log", "srt"];
const FILMS: [&str; 10] = [
    "mp4", "mov", "avi", "ts", "mkv", "mpg", "mpeg", "m4v", "3gp", "m2ts",
];

/// What a kept track was made of.
#[derive(Debug, Serialize, Deserialize)]
struct Made {
    /// Its recording has it, so that side files are not looked for.
    own: bool,
    /// The side files that were looked at.
    beside: Vec<RecordingId>,
    /// The one that had it.
    from: Option<RecordingId>,
}

/// As it is sent.
#[derive(Serialize)]
struct Sent<'a> {
    source: GpsSource,
    from_recording: Option<RecordingId>,
    points: &'a [GpsPoint],
}

impl Ingest {
    /// The track's JSON; `None` where there is none (yet).
    ///
    /// # Errors
    /// The vault's, the catalog's.
    pub async fn track(self: &Arc<Self>, recording: &Recording) -> Result<Option<Look<Bytes>>> {
        let (id, at) = (recording.id, recording.created_at);
        let is_closed = matches!(
            recording.state,
            RecordingState::Sealed | RecordingState::Incomplete
        );
        if !is_closed || recording.playback_state != PlaybackState::Ready {
            return Ok(None);
        }
        let name = derivative(TRACK_FILE)?;
        let stored = self.vault.get_derivative(id, at, &name).await?;
        let Some((made, json)) = stored.and_then(taken_apart) else {
            // Sealed by an older version, or thrown away: a derivative may be at any time.
            if self.playback.is_some() {
                self.want_track(id).await?;
            }
            return Ok(None);
        };
        if !made.own {
            let beside = self.beside(recording).await?;
            let beside: Vec<RecordingId> = beside.iter().map(|side| side.id).collect();
            if beside != made.beside {
                // One came while the job was under way, or was deleted since.
                self.want_track(id).await?;
            }
            // What was deleted is not shown any longer, whatever was made of it.
            if made.from.is_some_and(|from| !beside.contains(&from)) {
                return Ok(None);
            }
        }
        Ok((!json.is_empty()).then_some(Look {
            what: json,
            whole: made.own,
        }))
    }

    /// Asks for the job; one that waits or is being done is left as it is.
    pub(crate) async fn want_track(&self, id: RecordingId) -> Result<()> {
        let job = JobId::fresh(&*self.clock, &*self.random);
        self.catalog
            .enqueue(job, TRACK, id, self.clock.now())
            .await?;
        self.looks_wanted.notify_one();
        Ok(())
    }

    /// What is no film is here: if it may be the side file of films, their tracks are made anew.
    pub(crate) async fn came_beside(&self, recording: &Recording) -> Result<()> {
        for film in self.companions(recording, &SIDE_FILES, &FILMS).await? {
            if film.playback_state == PlaybackState::Ready {
                self.want_track(film.id).await?;
            }
        }
        Ok(())
    }

    /// The side files of a film.
    async fn beside(&self, film: &Recording) -> Result<Vec<Recording>> {
        let found = self.companions(film, &FILMS, &SIDE_FILES).await?;
        let short = |side: &Recording| side.size_bytes.is_some_and(|size| size <= MOST_SIDE_BYTES);
        Ok(found.into_iter().filter(short).collect())
    }

    /// What came by the same docking from the same folder under the same name but for its ending.
    async fn companions(
        &self,
        recording: &Recording,
        own: &[&str],
        others: &[&str],
    ) -> Result<Vec<Recording>> {
        let (Some(docking), Some(path)) = (recording.docking_id, &recording.device_path) else {
            return Ok(Vec::new());
        };
        let paths = other_paths(path, own, others);
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = self.catalog.recordings_beside(docking, &paths).await?;
        // Who may see the one may see the other.
        found.retain(|other| {
            other.unit_id == recording.unit_id && other.recorder_id == recording.recorder_id
        });
        let place = |other: &Recording| {
            paths
                .iter()
                .position(|path| Some(path) == other.device_path.as_ref())
        };
        found.sort_by_key(|other| (place(other), other.id));
        let mut seen = HashSet::new();
        // Sent twice: the first.
        found.retain(|other| seen.insert(place(other)));
        Ok(found)
    }

    /// Finds the track of a sealed recording and keeps it, or that there is none.
    pub(super) async fn find_track(&self, recording: &Recording, last_in_time: bool) -> Result<()> {
        let (id, at) = (recording.id, recording.created_at);
        let index = self
            .vault
            .get_derivative(id, at, &derivative(INDEX)?)
            .await?;
        // Without one it is made again when it is watched.
        let index = index.and_then(|bytes| PlaybackIndex::from_bytes(bytes.into()).ok());
        let Some(origin_us) = index.map(|index| index.origin_us()) else {
            return Ok(());
        };
        let own = self.positions(recording, last_in_time).await?;
        let own = own.and_then(|track| track.played(origin_us, recording.duration_ms));
        // One place for all of it says less than a log does.
        let is_own = own
            .as_ref()
            .is_some_and(|track| track.source != GpsSource::Location);
        let mut made = Made {
            own: is_own,
            beside: Vec::new(),
            from: None,
        };
        let mut track = own;
        if !is_own {
            let beside = self.beside(recording).await?;
            made.beside = beside.iter().map(|side| side.id).collect();
            for side in &beside {
                let found = self.positions(side, last_in_time).await?;
                // Its time begins with the film.
                let found = found.and_then(|track| track.played(0, recording.duration_ms));
                if found.is_some() {
                    (track, made.from) = (found, Some(side.id));
                    break;
                }
            }
        }
        let bytes = put_together(&made, track.as_ref());
        let name = derivative(TRACK_FILE)?;
        Ok(self.vault.put_derivative(id, at, &name, &bytes).await?)
    }

    /// The positions in a sealed file; none where its worker fails on it.
    async fn positions(&self, file: &Recording, last_in_time: bool) -> Result<Option<GpsTrack>> {
        let Some(playback) = &self.playback else {
            return Ok(None);
        };
        let (key, _) = sealed_facts(file)?;
        let source = self
            .source(&key, file.size_bytes.unwrap_or_default())
            .await?;
        let found = playback.positions(file.id, source).await;
        match found.map_err(IngestError::Playback) {
            Ok(found) => Ok(found),
            Err(error) => {
                let late = matches!(error, IngestError::Playback(PlaybackError::TimedOut(_)));
                let is_final = error.is_of_the_recording() || (late && last_in_time);
                if !is_final {
                    return Err(error);
                }
                tracing::info!(recording = %file.id, %error, "no positions could be read");
                Ok(None)
            }
        }
    }
}

fn put_together(made: &Made, track: Option<&GpsTrack>) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(made).unwrap_or_default();
    bytes.push(b'\n');
    if let Some(track) = track {
        let sent = Sent {
            source: track.source,
            from_recording: made.from,
            points: &track.points,
        };
        bytes.extend(serde_json::to_vec(&sent).unwrap_or_default());
    }
    bytes
}

/// `None` where it is damaged, or of another version of this program: made again.
fn taken_apart(bytes: Vec<u8>) -> Option<(Made, Bytes)> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let made = serde_json::from_slice(&bytes[..end]).ok()?;
    Some((made, Bytes::from(bytes).slice(end + 1..)))
}

/// The paths with other endings, in small letters and in capitals; none where the path's own ending is not among
/// `own`.
fn other_paths(path: &str, own: &[&str], others: &[&str]) -> Vec<String> {
    let Some((stem, ending)) = path.rsplit_once('.') else {
        return Vec::new();
    };
    let is_own = own.iter().any(|one| one.eq_ignore_ascii_case(ending));
    if !is_own || stem.is_empty() || stem.ends_with(['/', '\\']) {
        return Vec::new();
    }
    let both = |ending: &&str| [(*ending).to_owned(), ending.to_ascii_uppercase()];
    let endings = others.iter().flat_map(both);
    endings.map(|ending| format!("{stem}.{ending}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn side_files_lie_beside_their_film() {
        let of = |path: &str| other_paths(path, &FILMS, &["nmea", "srt"]);
        let all = [
            "DCIM/a.1.nmea",
            "DCIM/a.1.NMEA",
            "DCIM/a.1.srt",
            "DCIM/a.1.SRT",
        ];
        assert_eq!(of("DCIM/a.1.MP4"), all);
        assert_eq!(of("DCIM/a.1.mov"), all);
        for none in ["DCIM/a.jpg", "DCIM/a", "DCIM/.mp4", ".mp4", ""] {
            assert!(of(none).is_empty(), "{none}");
        }
    }

    #[test]
    fn what_is_kept_is_found_again() {
        let made = Made {
            own: false,
            beside: vec![RecordingId::from_bytes([7; 16])],
            from: None,
        };
        let (again, json) = taken_apart(put_together(&made, None)).expect("sound");
        assert_eq!(
            (again.own, again.beside, again.from),
            (false, made.beside, None)
        );
        assert!(json.is_empty());
        assert!(taken_apart(b"{}\n".to_vec()).is_none() && taken_apart(Vec::new()).is_none());
    }
}
