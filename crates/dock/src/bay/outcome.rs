//! How things end, and how that is said.

use std::io;

use docket_client::{Error, Meaning};

/// How a docking ended, for the bay's loop and for `once`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files listed.
    pub files_total: usize,
    /// Files that are safe.
    pub files_done: usize,
    /// Whether something was erased.
    pub has_erased: bool,
    /// What somebody has to look at.
    pub faults: Vec<String>,
}

impl Summary {
    pub(super) fn unreadable(error: &io::Error) -> Self {
        Self::refused(format!("cannot be read: {error}"))
    }

    pub(super) fn refused(reason: String) -> Self {
        Self {
            faults: vec![reason],
            ..Self::default()
        }
    }

    pub(super) fn lost() -> Self {
        Self::refused("the recorder was taken before it was done".into())
    }
}

/// What is wrong with one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileFault {
    /// Whether the recorder is to blame.
    pub(super) is_unreadable: bool,
    pub(super) reason: String,
}

impl FileFault {
    pub(super) fn recorder(reason: impl ToString) -> Self {
        Self {
            is_unreadable: true,
            reason: reason.to_string(),
        }
    }

    pub(super) fn other(reason: impl ToString) -> Self {
        Self {
            is_unreadable: false,
            reason: reason.to_string(),
        }
    }
}

/// What the bay says while it waits.
pub(super) fn waiting_text(error: &Error) -> String {
    match error.meaning() {
        Meaning::NoRoom => "waits: the daemon's disk is full".into(),
        Meaning::Unauthorised => {
            "waits: the daemon refuses this station's token; enrol the station again".into()
        }
        Meaning::Locked => "waits: the daemon still holds an earlier connection".into(),
        _ => format!("waits for the daemon: {error}"),
    }
}
