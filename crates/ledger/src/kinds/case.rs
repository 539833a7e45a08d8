//! Events of cases, links, holds and retention rules.

use docket_base::Micros;
use docket_base::ids::{CaseId, HoldId, LinkId, OfficerId, RecordingId, RuleId};

use super::{RegisterRef, bodies, words};

words! {
    /// How a link came about.
    LinkMeans {
        /// Someone named the recording.
        Recording,
        /// The upload named the case.
        Upload,
        /// Someone named an officer and a time.
        Window,
        /// A proposal was accepted.
        Proposal,
    }
}

bodies! {
    /// See [`super::Event::CasePut`]. The case's unit is the entry's.
    CasePut {
        /// The case.
        case: CaseId,
        /// Its number, as given.
        number: String,
        /// Its title.
        register: RegisterRef,
        /// The case's version after it.
        version: u32,
    }
    /// See [`super::Event::CaseClosed`].
    CaseClosed {
        /// The case.
        case: CaseId,
        /// The case's version after it.
        version: u32,
    }
    /// See [`super::Event::CaseReopened`].
    CaseReopened {
        /// The case.
        case: CaseId,
        /// The case's version after it.
        version: u32,
    }
    /// See [`super::Event::LinkMade`].
    LinkMade {
        /// The link.
        link: LinkId,
        /// The recording.
        recording: RecordingId,
        /// The case.
        case: CaseId,
        /// How it came about.
        means: LinkMeans,
        /// What was asked for, when it was by officer and time.
        window: Option<Window>,
        /// What was noted.
        note: Option<RegisterRef>,
    }
    /// See [`super::Event::LinkProposed`].
    LinkProposed {
        /// The link.
        link: LinkId,
        /// The recording.
        recording: RecordingId,
        /// The case.
        case: CaseId,
        /// How it came about.
        means: LinkMeans,
        /// What was noted.
        note: Option<RegisterRef>,
    }
    /// See [`super::Event::LinkRemoved`].
    LinkRemoved {
        /// The link.
        link: LinkId,
        /// The recording.
        recording: RecordingId,
        /// The case.
        case: CaseId,
        /// Why, in words.
        reason: Option<RegisterRef>,
    }
    /// An officer and a time.
    Window {
        /// Who.
        officer: OfficerId,
        /// From when.
        from_at: Micros,
        /// Until when.
        until_at: Micros,
    }
    /// See [`super::Event::HoldPlaced`]. On one of recording and case.
    HoldPlaced {
        /// The hold.
        hold: HoldId,
        /// The recording it is on.
        recording: Option<RecordingId>,
        /// The case it is on, with all its recordings.
        case: Option<CaseId>,
        /// When it ends by itself.
        until_at: Option<Micros>,
        /// Why, in words.
        reason: RegisterRef,
    }
    /// See [`super::Event::HoldLifted`].
    HoldLifted {
        /// The hold.
        hold: HoldId,
        /// The recording it was on.
        recording: Option<RecordingId>,
        /// The case it was on.
        case: Option<CaseId>,
        /// Why, in words.
        reason: Option<RegisterRef>,
    }
    /// See [`super::Event::RetentionRuleSet`].
    RetentionRuleSet {
        /// The rule.
        rule: RuleId,
        /// What it says.
        register: RegisterRef,
    }
    /// See [`super::Event::RetentionRuleRemoved`].
    RetentionRuleRemoved {
        /// The rule.
        rule: RuleId,
    }
}
