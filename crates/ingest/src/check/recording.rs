//! Every recording: its row against the entry of its seal, its side file, its original, its receipts.

use docket_base::Sha256Digest;
use docket_base::ids::RecordingId;
use docket_catalog::{CorrectionField, Recording, RecordingState, UploadKind};
use docket_ledger::kinds::{self, Finding, SealedState};
use docket_ledger::receipt::BadReceipt;
use docket_ledger::{Entry, Event, Receipt, ReceiptLevel, Verdict, verify_receipt};
use docket_vault::{AssemblyState, BesideName, VaultError, VaultKey};
use futures_util::StreamExt;

use super::{CheckLine, Found, RecordingVerdict, Run, original_failure};
use crate::event::word;
use crate::{Result, original};

const PAGE: u32 = 64;
/// A recording that changes while it is looked at is looked at again, so often.
const TRIES: usize = 5;

impl Run<'_> {
    pub(super) async fn recordings(&mut self) -> Result<()> {
        let mut after = None;
        loop {
            let page = self.parts.catalog.recordings_by_id(after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some(last.id);
            for row in page {
                self.recording(row).await?;
            }
        }
    }

    async fn recording(&mut self, mut row: Recording) -> Result<()> {
        let mut findings = self.findings(&row).await?;
        for _ in 1..TRIES {
            if findings.is_empty() {
                break;
            }
            // It may have been sealed, corrected or deleted between two of the looks.
            match self.parts.catalog.recording(row.id).await? {
                Some(now) if now.version != row.version => row = now,
                _ => break,
            }
            findings = self.findings(&row).await?;
        }
        self.sum.recordings_count += 1;
        let is_open = row.state.is_open();
        self.sum.open_count += u64::from(is_open);
        for found in &mut findings {
            found.recording = Some((row.id, row.unit_id));
        }
        findings.iter().for_each(|found| self.keep(found));
        let verdict = match (findings.is_empty(), is_open) {
            (false, _) => RecordingVerdict::Findings(findings),
            (true, true) => RecordingVerdict::Open,
            (true, false) => RecordingVerdict::Ok,
        };
        (self.report)(&CheckLine::Recording {
            id: row.id,
            state: row.state,
            verdict,
        });
        Ok(())
    }

    async fn findings(&mut self, row: &Recording) -> Result<Vec<Found>> {
        if row.state.is_open() {
            return self.open_upload(row).await;
        }
        let mut found = Vec::new();
        if row.state == RecordingState::Deleted && row.vault_key.is_none() {
            self.need_event(row.id, "recording.withdrawn", &mut found)
                .await?;
            return Ok(found);
        }
        let Some(sealed) = self.sealed(row, &mut found).await? else {
            return Ok(found);
        };
        self.compare_row(row, &sealed, &mut found).await?;
        let Ok(key) = sealed.vault_key.parse::<VaultKey>() else {
            let detail = "the entry names no vault key".to_owned();
            found.push(Found::new(
                Finding::CatalogDiffers,
                sealed.vault_key,
                detail,
            ));
            return Ok(found);
        };
        self.side_file(&key, &sealed, &mut found).await?;
        self.receipts(row.id, &key, &sealed, &mut found).await?;
        if row.state == RecordingState::Deleted {
            self.need_event(row.id, "recording.deleted", &mut found)
                .await?;
        } else {
            self.original(&key, &sealed, &mut found).await?;
        }
        Ok(found)
    }

    /// Every told byte of an open upload is there.
    async fn open_upload(&self, row: &Recording) -> Result<Vec<Found>> {
        let place = format!("uploads/{}", row.id);
        let Some(upload) = self.parts.catalog.upload(row.id).await? else {
            let detail = format!("the recording is {}, but has no upload", row.state);
            return Ok(vec![Found::new(Finding::CatalogDiffers, place, detail)]);
        };
        let mut pieces = vec![(upload.assembly_state.clone(), upload.offset_bytes)];
        if upload.kind == UploadKind::Final {
            for part in self.parts.catalog.upload_parts(row.id).await? {
                let part = self.parts.catalog.upload(part).await?;
                pieces.extend(part.map(|part| (part.assembly_state, part.offset_bytes)));
            }
        }
        let mut found = Vec::new();
        for (state, told_bytes) in pieces {
            let reason = match self.last_byte(&AssemblyState(state), told_bytes).await {
                Ok(()) | Err(VaultError::NotYet) => continue,
                // Sealed in the vault, and the catalog follows: now, or when it recovers.
                Err(_) if self.is_sealed_by_now(row, told_bytes).await? => continue,
                Err(error @ (VaultError::NotFound(_) | VaultError::Corrupt { .. })) => error,
                Err(passing) => return Err(passing.into()),
            };
            let detail = format!("{told_bytes} bytes were acknowledged: {reason}");
            let place = format!("open/{}", row.id);
            found.push(Found::new(Finding::OriginalMissing, place, detail));
        }
        Ok(found)
    }

    async fn last_byte(&self, state: &AssemblyState, told_bytes: u64) -> Result<(), VaultError> {
        if told_bytes == 0 {
            return Ok(());
        }
        let range = told_bytes - 1..told_bytes;
        let mut stream = self.parts.vault.read_assembly(state, range).await?;
        while let Some(block) = stream.next().await {
            block?;
        }
        Ok(())
    }

    async fn is_sealed_by_now(&self, row: &Recording, told_bytes: u64) -> Result<bool> {
        for area in docket_vault::Area::ALL {
            let key = VaultKey::new(area, row.created_at, row.id);
            if self
                .parts
                .vault
                .size(&key)
                .await?
                .is_some_and(|size| size >= told_bytes)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn need_event(&self, id: RecordingId, kind: &str, found: &mut Vec<Found>) -> Result<()> {
        if self
            .parts
            .catalog
            .recording_event(id, kind)
            .await?
            .is_none()
        {
            let detail = format!("the row is deleted without a {kind}");
            found.push(Found::new(
                Finding::CatalogDiffers,
                format!("recordings/{id}"),
                detail,
            ));
        }
        Ok(())
    }

    /// What the entry of the seal says.
    async fn sealed(
        &self,
        row: &Recording,
        found: &mut Vec<Found>,
    ) -> Result<Option<kinds::RecordingSealed>> {
        let event = self
            .parts
            .catalog
            .recording_event(row.id, "recording.sealed")
            .await?;
        let entry = event.and_then(|event| Entry::parse(&event.entry).ok());
        let place = format!("recordings/{}", row.id);
        match entry {
            Some(entry) => match entry.event {
                Event::RecordingSealed(body) => {
                    if row.sealed_at != Some(entry.at) {
                        let detail = "the row was sealed at another time than its entry";
                        found.push(Found::new(Finding::CatalogDiffers, place, detail));
                    }
                    Ok(Some(body))
                }
                _ => Ok(None),
            },
            None => {
                let detail = format!("the row is {}, but no entry seals it", row.state);
                found.push(Found::new(Finding::CatalogDiffers, place, detail));
                Ok(None)
            }
        }
    }

    async fn compare_row(
        &self,
        row: &Recording,
        sealed: &kinds::RecordingSealed,
        found: &mut Vec<Found>,
    ) -> Result<()> {
        let state = match sealed.state {
            SealedState::Sealed => RecordingState::Sealed,
            SealedState::Incomplete => RecordingState::Incomplete,
            SealedState::Quarantined => RecordingState::Quarantined,
        };
        let reason = sealed.incomplete_reason.map(|reason| word(&reason));
        let verified = self
            .parts
            .catalog
            .recording_event(row.id, "recording.verified");
        let checks = [
            (
                row.state == state || row.state == RecordingState::Deleted,
                "state",
            ),
            (row.size_bytes == Some(sealed.size_bytes), "length"),
            (row.sha256 == Some(sealed.sha256), "SHA-256"),
            (row.sm3 == sealed.sm3, "SM3"),
            (
                row.claimed_sha256 == sealed.claimed_sha256,
                "claimed SHA-256",
            ),
            (
                row.vault_key.as_deref() == Some(&sealed.vault_key),
                "vault key",
            ),
            (row.duplicate_of == sealed.duplicate_of, "duplicate"),
            (row.incomplete_reason == reason, "reason"),
            (row.recorded_at == sealed.recorded_at, "recording time"),
            (row.created_at == sealed.created_at, "creation time"),
            (self.unit_is_right(row).await?, "unit"),
            (
                verified.await?.map(|event| event.at) == row.verified_at,
                "time of read-back",
            ),
        ];
        for (_, what) in checks.iter().filter(|(same, _)| !same) {
            let place = format!("recordings/{}", row.id);
            let detail = format!("the row's {what} is not what its entry says");
            found.push(Found::new(Finding::CatalogDiffers, place, detail));
        }
        Ok(())
    }

    /// The unit is the seal's, unless it was corrected.
    async fn unit_is_right(&self, row: &Recording) -> Result<bool> {
        let catalog = self.parts.catalog;
        let corrections = catalog.corrections(row.id).await?;
        let last = corrections
            .iter()
            .rfind(|correction| correction.field == CorrectionField::Unit);
        if let Some(last) = last {
            return Ok(last.new_value.as_deref() == Some(&row.unit_id.to_string()));
        }
        let event = catalog.recording_event(row.id, "recording.sealed").await?;
        Ok(event.is_some_and(|event| event.unit_id == Some(row.unit_id)))
    }

    async fn side_file(
        &self,
        key: &VaultKey,
        sealed: &kinds::RecordingSealed,
        found: &mut Vec<Found>,
    ) -> Result<()> {
        let place = format!("{}/{}", key.folder(), BesideName::SideFile.file_name());
        let expected = sealed.side_file_sha256;
        let bytes = self
            .parts
            .vault
            .get_beside(key, BesideName::SideFile)
            .await?;
        let actual = bytes.as_deref().map(Sha256Digest::of);
        let (finding, detail) = match actual {
            Some(actual) if actual == expected => return Ok(()),
            Some(_) => (
                Finding::FileChanged,
                "the side file is not what the entry commits to",
            ),
            None => (Finding::FileMissing, "the side file is not there"),
        };
        found.push(Found::new(finding, place, detail).digests(expected, actual));
        Ok(())
    }

    async fn original(
        &mut self,
        key: &VaultKey,
        sealed: &kinds::RecordingSealed,
        found: &mut Vec<Found>,
    ) -> Result<()> {
        let finding = |finding, detail: String| Found::new(finding, key.as_str(), detail);
        let expected = sealed.sha256;
        match self.parts.vault.size(key).await {
            Ok(Some(size)) if size == sealed.size_bytes => {}
            Ok(Some(size)) => {
                let detail = format!("{size} bytes instead of {}", sealed.size_bytes);
                found.push(finding(Finding::OriginalChanged, detail).digests(sealed.sha256, None));
                return Ok(());
            }
            Ok(None) => {
                let detail = "the original is not there".to_owned();
                found.push(finding(Finding::OriginalMissing, detail).digests(expected, None));
                return Ok(());
            }
            Err(error) => {
                let (detail, what) = (error.to_string(), original_failure(error.into())?);
                found.push(finding(what, detail).digests(expected, None));
                return Ok(());
            }
        }
        if self.options.quick {
            return Ok(());
        }
        let (with_sm3, rate) = (sealed.sm3.is_some(), self.parts.read_bytes_per_s);
        match original::digest(self.parts.vault, &self.hash_pool, key, with_sm3, rate).await {
            Ok((digests, read)) => {
                self.sum.read_bytes += read;
                let same = digests.sha256 == sealed.sha256 && digests.sm3 == sealed.sm3;
                if !same || read != sealed.size_bytes {
                    let detail = "other bytes than were sealed".to_owned();
                    let changed = finding(Finding::OriginalChanged, detail);
                    found.push(changed.digests(expected, Some(digests.sha256)));
                }
            }
            Err(error) => {
                let (detail, what) = (error.to_string(), original_failure(error)?);
                found.push(finding(what, detail).digests(expected, None));
            }
        }
        Ok(())
    }

    /// Receipts that were given out must still be worth what they say.
    async fn receipts(
        &self,
        id: RecordingId,
        key: &VaultKey,
        sealed: &kinds::RecordingSealed,
        found: &mut Vec<Found>,
    ) -> Result<()> {
        for (name, level) in [
            (BesideName::ReceiptStored, ReceiptLevel::Stored),
            (BesideName::ReceiptVerified, ReceiptLevel::Verified),
        ] {
            let Some(bytes) = self.parts.vault.get_beside(key, name).await? else {
                continue;
            };
            if let Err(reason) = self.judge(&bytes, id, level, sealed) {
                let place = format!("{}/{}", key.folder(), name.file_name());
                found.push(Found::new(Finding::FileChanged, place, reason));
            }
        }
        Ok(())
    }

    fn judge(
        &self,
        bytes: &[u8],
        id: RecordingId,
        level: ReceiptLevel,
        sealed: &kinds::RecordingSealed,
    ) -> Result<(), String> {
        let receipt = Receipt::parse(bytes).map_err(|error: BadReceipt| error.to_string())?;
        let key = Some(self.parts.key);
        match verify_receipt(&receipt, key, &sealed.sha256, sealed.size_bytes) {
            Verdict::Proven(proof) if proof.level == level && receipt.body.recording == id => {
                Ok(())
            }
            Verdict::Proven(_) => Err("it is another receipt".to_owned()),
            Verdict::Bad(error) => Err(error.to_string()),
            Verdict::WrongKey { .. } => Err("it is signed with another key".to_owned()),
            Verdict::DigestMismatch { .. } | Verdict::SizeMismatch { .. } => {
                Err("it is about other bytes".to_owned())
            }
            Verdict::Unpinned(_) => Err("its key was not compared".to_owned()),
        }
    }
}
