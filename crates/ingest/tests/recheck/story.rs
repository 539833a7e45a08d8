//! Everything that people and stations do, once: what a rebuild must bring back.

use docket_base::ids::{RecordingId, RuleId};
use docket_base::{Clock, Micros, Sha256Digest};
use docket_catalog::{CaseState, CorrectionField, Officer, Recorder, RetentionRule, Role, Unit};
use docket_ingest::annotations::Annotation;
use docket_ingest::cases::CaseWanted;
use docket_ingest::corrections::Wanted;
use docket_ingest::dockings::DockingReport;
use docket_ingest::links::Tie;
use docket_ingest::markers::MarkerWanted;
use docket_ingest::stations::StationReport;
use docket_ingest::tokens::NewToken;
use docket_ingest::upload::Origin;
use docket_ingest::users::{NewUser, UserChange};
use docket_ledger::kinds::{self, DockingOutcome};
use docket_ledger::register::{DockedFile, RuleRow};
use docket_ledger::{Actor, RegisterValue, Subject};

use crate::instance::Instance;

const SYSTEM: Actor = Actor::System;

impl Instance {
    /// Tells the story; the recordings of [`Instance::fill`] are in it.
    pub async fn live(&self) -> [RecordingId; 5] {
        let (officer, recorder) = self.registers().await;
        self.people().await;
        let all = self.fill().await;
        self.docked(&recorder).await;
        self.cases(all).await;
        self.said(all, &officer, &recorder).await;
        self.marked(all).await;
        self.rules_and_deletion().await;
        self.publish().await;
        all
    }

    async fn registers(&self) -> (Officer, Recorder) {
        let ingest = &self.ingest;
        let unit = Unit {
            id: self.unit,
            parent_id: Some(self.unit),
            code: "5201".to_owned(),
            name: "贵阳".to_owned(),
            version: 1,
            created_at: Micros(0),
        };
        let city = ingest.add_unit(SYSTEM, unit).await.unwrap();
        self.tick();
        let name = "贵阳市".to_owned();
        ingest
            .change_unit(SYSTEM, Unit { name, ..city })
            .await
            .unwrap();
        let officer = Officer {
            id: docket_base::ids::OfficerId::fresh(&*self.clock, &*self.random),
            name: "李伟".to_owned(),
            certificate_number: "贵A-1".to_owned(),
            unit_id: self.unit,
            category: "医疗".to_owned(),
            area: String::new(),
            version: 1,
            created_at: Micros(0),
        };
        let officer = ingest.add_officer(SYSTEM, officer).await.unwrap();
        self.tick();
        let area = "南明区".to_owned();
        let officer = ingest
            .change_officer(SYSTEM, Officer { area, ..officer })
            .await
            .unwrap();
        let recorder = Recorder {
            id: docket_base::ids::RecorderId::fresh(&*self.clock, &*self.random),
            serial: "SN-7".to_owned(),
            model: "DSJ".to_owned(),
            unit_id: self.unit,
            version: 1,
            created_at: Micros(0),
        };
        let recorder = ingest.add_recorder(SYSTEM, recorder).await.unwrap();
        let from = Micros(1_700_000_000_000_000);
        let span = (from, None);
        let assignment = ingest
            .assign(SYSTEM, recorder.id, officer.id, span)
            .await
            .unwrap();
        self.tick();
        let until = Some(from.plus_seconds(1_000));
        ingest
            .end_assignment(SYSTEM, assignment, until)
            .await
            .unwrap();
        (officer, recorder)
    }

    async fn people(&self) {
        for (name, role) in [("王芳", Role::Administrator), ("张强", Role::Supervisor)] {
            self.tick();
            let new = NewUser {
                name: name.to_owned(),
                role,
                unit: self.unit,
                password_hash: "$argon2id$known".to_owned(),
            };
            let user = self.ingest.add_user(SYSTEM, new).await.unwrap();
            if role == Role::Supervisor {
                let to = UserChange {
                    role: Some(Role::Auditor),
                    ..UserChange::default()
                };
                self.ingest.change_user(SYSTEM, user.id, to).await.unwrap();
            }
        }
    }

    async fn docked(&self, recorder: &Recorder) {
        let token = docket_base::ids::TokenId::fresh(&*self.clock, &*self.random);
        let new = NewToken {
            id: token,
            secret_sha256: Sha256Digest::of(b"secret"),
            name: "一号站".to_owned(),
            scopes: "upload,read".to_owned(),
            unit: self.unit,
        };
        self.ingest.add_token(SYSTEM, new).await.unwrap();
        self.tick();
        let mut station = self.ingest.station_of(token, self.unit).await.unwrap();
        for name in ["采集站", "大厅采集站"] {
            self.tick();
            let report = StationReport {
                name: name.to_owned(),
                software_version: "0.1".to_owned(),
                status: "[]".to_owned(),
            };
            station = self
                .ingest
                .station_reports(token, self.unit, report)
                .await
                .unwrap();
        }
        let file = |path: &str| DockedFile {
            path: path.to_owned(),
            size_bytes: 9,
            modified_at: Some(Micros(1_700_000_000_000_000)),
        };
        let report = DockingReport {
            bay: "A1".to_owned(),
            recorder_serial: recorder.serial.clone(),
            started_at: self.clock.now(),
            recorder_clock_offset_ms: Some(-1_500),
            files: vec![file("DCIM/came.mp4"), file("DCIM/lost.mp4")],
        };
        let docking = self.ingest.docking_listed(&station, report).await.unwrap();
        let mut new = self.new_upload("came.mp4", 9);
        new.docking = Some(docking);
        let origin = Origin {
            actor: Actor::Station(station.id),
            station: Some(station.id),
            token: Some(token),
            may_link: false,
        };
        self.send_from(origin, &new, b"it's here").await;
        self.tick();
        self.ingest
            .docking_finished(docking, self.clock.now(), DockingOutcome::RecorderLost)
            .await
            .unwrap();
    }

    async fn cases(&self, [sealed, incomplete, _, duplicate, open]: [RecordingId; 5]) {
        let ingest = &self.ingest;
        let titled = |title: &str| CaseWanted {
            title: Some(title.to_owned()),
            ..CaseWanted::default()
        };
        let number = "贵卫医罚〔2026〕12号";
        for title in ["无证行医", "某诊所无证行医"] {
            self.tick();
            ingest
                .put_case(SYSTEM, self.unit, number, titled(title))
                .await
                .unwrap();
        }
        let case = ingest
            .catalog
            .case_by_number(self.unit, number)
            .await
            .unwrap()
            .unwrap();
        for (id, may_link, note) in [
            (sealed, true, "现场"),
            (incomplete, false, "可能"),
            (incomplete, true, "确认"),
            (duplicate, true, ""),
            (open, true, "还在传"),
        ] {
            self.tick();
            let tie = Tie {
                actor: SYSTEM,
                may_link,
                note: note.to_owned(),
            };
            let row = self.row(id).await;
            ingest.link(&tie, &case, &row).await.unwrap();
        }
        self.tick();
        let row = self.row(duplicate).await;
        assert!(ingest.unlink(SYSTEM, &case, &row).await.unwrap());
        for state in [CaseState::Closed, CaseState::Open, CaseState::Closed] {
            self.tick();
            let wanted = CaseWanted {
                state: Some(state),
                ..CaseWanted::default()
            };
            ingest
                .put_case(SYSTEM, self.unit, number, wanted)
                .await
                .unwrap();
        }
        // One that names its case with the upload: the link is older than the seal.
        let mut new = self.new_upload("named.mp4", 5);
        new.case_number = Some("贵卫医罚〔2026〕13号".to_owned());
        self.send(&new, b"named").await;
    }

    async fn said(&self, all: [RecordingId; 5], officer: &Officer, recorder: &Recorder) {
        let [sealed, incomplete, ..] = all;
        let ingest = &self.ingest;
        self.tick();
        let wanted = Annotation {
            notes: Some("清楚".to_owned()),
            tags: Some(vec!["复查".to_owned(), "医疗".to_owned()]),
        };
        let version = self.row(sealed).await.version;
        ingest
            .annotate(SYSTEM, sealed, version, wanted)
            .await
            .unwrap();
        let hold = ingest.place_hold(SYSTEM, sealed, "诉讼").await.unwrap();
        self.tick();
        ingest
            .lift_hold(SYSTEM, sealed, hold.id, Some("结束"))
            .await
            .unwrap();
        ingest.place_hold(SYSTEM, incomplete, "等待").await.unwrap();
        // Also of one that still arrives, and is sealed afterwards.
        let arriving = self
            .send(&self.new_upload("arriving.mp4", 8), b"half")
            .await;
        for (id, field, value) in [
            (sealed, CorrectionField::Officer, officer.id.to_string()),
            (arriving, CorrectionField::Recorder, recorder.id.to_string()),
            (arriving, CorrectionField::Kind, "audio".to_owned()),
            (
                arriving,
                CorrectionField::RecordedAt,
                // As entries spell times, so that the text comes back too.
                "2026-11-01T08:00:00.000000Z".to_owned(),
            ),
        ] {
            self.tick();
            let wanted = Wanted {
                field,
                value: Some(value),
                reason: "看错了".to_owned(),
            };
            ingest.correct(SYSTEM, id, wanted).await.unwrap();
        }
        self.tick();
        let body = futures_util::stream::iter([Ok(bytes::Bytes::from_static(b"more"))]);
        ingest
            .append(arriving, 4, None, None, Box::pin(body))
            .await
            .unwrap();
    }

    async fn marked(&self, [sealed, .., open]: [RecordingId; 5]) {
        for (id, at_ms, until_ms, text) in [
            (sealed, 100, None, "进入"),
            (sealed, 200, Some(300), "出示证件"),
            (open, 5, None, "还在传"),
        ] {
            self.tick();
            let text = text.to_owned();
            let wanted = MarkerWanted {
                at_ms,
                until_ms,
                text,
            };
            let marker = self.ingest.place_marker(SYSTEM, id, wanted).await.unwrap();
            self.tick();
            if until_ms.is_some() {
                self.ingest
                    .withdraw_marker(SYSTEM, id, marker.id)
                    .await
                    .unwrap();
            }
        }
        self.clip(sealed).await;
    }

    async fn rules_and_deletion(&self) {
        let ingest = &self.ingest;
        self.tick();
        let id = RuleId::fresh(&*self.clock, &*self.random);
        let rule = RetentionRule {
            id,
            unit_id: self.unit,
            name: "一般".to_owned(),
            kind: None,
            tag: Some("复查".to_owned()),
            keep_days: Some(180),
            version: 1,
            created_at: self.clock.now(),
        };
        let row = RuleRow {
            name: rule.name.clone(),
            unit: Some(self.unit),
            kind: None,
            tag: rule.tag.clone(),
            linked: None,
            keep_days: rule.keep_days,
        };
        let register_id = docket_base::ids::RegisterId::from_bytes(*id.as_bytes());
        let register = ingest
            .put_register(register_id, 1, RegisterValue::Rule(row))
            .await
            .unwrap();
        let mut change = ingest.catalog.change().await.unwrap();
        change.add_retention_rule(&rule).await.unwrap();
        let body = kinds::RetentionRuleSet { rule: id, register };
        let subject = Subject {
            rule: Some(id),
            ..Subject::default()
        };
        let event = ingest
            .event(SYSTEM, Some(self.unit), subject, body)
            .unwrap();
        ingest.commit(change, &[event]).await.unwrap();

        let gone = self.upload("gone.mp4", b"no longer needed").await;
        self.tick();
        let row = self.row(gone).await;
        let body = kinds::RecordingDeleted {
            sha256: row.sha256.unwrap(),
            size_bytes: 16,
            vault_key: row.vault_key.clone().unwrap(),
            object_stays: false,
            rule: Some(id),
            approved_by: Vec::new(),
            reason: None,
        };
        let event = ingest
            .event(SYSTEM, Some(self.unit), Subject::recording(gone), body)
            .unwrap();
        let mut change = ingest.catalog.change().await.unwrap();
        change.mark_deleted(gone, event.at).await.unwrap();
        ingest.commit(change, &[event]).await.unwrap();
        let key = row.vault_key.unwrap().parse().unwrap();
        self.vault.delete_original(&key).await.unwrap();
    }
}
