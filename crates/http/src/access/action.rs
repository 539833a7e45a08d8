//! The closed list of what can be asked for, and who has the right to it. Where: see [`super::authorise`].

use std::fmt;
use std::str::FromStr;

/// A text that names no role, scope or the like.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what}: {name:?}")]
pub struct UnknownName {
    what: &'static str,
    name: String,
}

macro_rules! names {
    ($(#[$doc:meta])* $type:ident $what:literal { $($(#[$variant_doc:meta])* $variant:ident $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $type { $($(#[$variant_doc])* $variant,)* }

        impl $type {
            /// All there are.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// As API, catalog and command line write it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }

        impl FromStr for $type {
            type Err = UnknownName;
            fn from_str(text: &str) -> Result<Self, UnknownName> {
                match text {
                    $($name => Ok(Self::$variant),)*
                    _ => Err(UnknownName { what: $what, name: text.chars().take(64).collect() }),
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

names! {
    /// What a user is, within the subtree of the user's unit.
    Role "role" {
        /// Registers, users, tokens; reads everything, changes no evidence.
        Administrator "administrator",
        /// Searches, views, downloads, annotates, links, holds.
        Supervisor "supervisor",
        /// Searches, views, keeps cases and their links.
        CaseHandler "case_handler",
        /// Reads facts, custody and the ledger's entries; changes nothing.
        Auditor "auditor",
    }
}

names! {
    /// What a bearer token may be used for, within the subtree of its unit.
    Scope "scope" {
        /// Sends recordings, reports dockings and a station's bays, fetches receipts.
        Upload "upload",
        /// Reads and plays recordings, reads cases and registers.
        Read "read",
        /// Creates cases and ties recordings to them.
        Link "link",
        /// Registers, users, tokens, metrics.
        Admin "admin",
        /// Custody and the ledger's entries.
        Audit "audit",
    }
}

/// A set of [`Scope`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Scopes(u8);

impl Scopes {
    /// With one more.
    #[must_use]
    pub fn with(self, scope: Scope) -> Self {
        Self(self.0 | 1 << scope as u8)
    }

    /// Whether it is in the set.
    pub fn has(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u8) != 0
    }

    fn any(self, of: &[Scope]) -> bool {
        of.iter().any(|scope| self.has(*scope))
    }
}

impl FromStr for Scopes {
    type Err = UnknownName;
    /// A comma list, e.g. `upload,read`. At least one.
    fn from_str(text: &str) -> Result<Self, UnknownName> {
        text.split(',')
            .map(|name| name.trim().parse::<Scope>())
            .try_fold(Self::default(), |set, scope| Ok(set.with(scope?)))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for scope in Scope::ALL.iter().filter(|scope| self.has(**scope)) {
            if !first {
                f.write_str(",")?;
            }
            first = false;
            f.write_str(scope.name())?;
        }
        Ok(())
    }
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident: [$($role:ident)*] [$($scope:ident)*];)*) => {
        /// Something that can be asked for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action { $($(#[$doc])* $name,)* }

        impl Action {
            /// All there are.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The roles that have the right.
            pub fn roles(self) -> &'static [Role] {
                match self { $(Self::$name => &[$(Role::$role,)*],)* }
            }

            /// The scopes of which one suffices.
            pub fn scopes(self) -> &'static [Scope] {
                match self { $(Self::$name => &[$(Scope::$scope,)*],)* }
            }
        }
    };
}

actions! {
    /// One's own session, and nothing else.
    OwnSession: [Administrator Supervisor CaseHandler Auditor] [];
    /// Find recordings and read their facts.
    ReadRecordings: [Administrator Supervisor CaseHandler Auditor] [Read Audit];
    /// See a recording: playlists, segments, poster. Logged.
    View: [Administrator Supervisor CaseHandler Auditor] [Read];
    /// Fetch the original's bytes. Logged. The roles are those of `View`: who sees the picture has its content,
    /// photographs and documents have no other form, and a verifier needs the very bytes.
    Download: [Administrator Supervisor CaseHandler Auditor] [Read];
    /// Read a recording's custody events.
    ReadCustody: [Administrator Supervisor CaseHandler Auditor] [Read Audit];
    /// Fetch a recording's receipts. A station needs those of what it sent.
    ReadReceipt: [Administrator Supervisor CaseHandler Auditor] [Upload Read Audit];
    /// Send recordings and finish or end their uploads.
    Upload: [Supervisor CaseHandler] [Upload];
    /// Change notes and tags.
    Annotate: [Supervisor] [];
    /// Mark times in a recording, and withdraw markers.
    Mark: [Supervisor CaseHandler] [];
    /// Make clips of a recording.
    MakeClips: [Supervisor CaseHandler] [];
    /// Append a correction of a fact.
    Correct: [Supervisor] [];
    /// Place and lift holds.
    Hold: [Supervisor] [];
    /// Find and read cases.
    ReadCases: [Administrator Supervisor CaseHandler Auditor] [Read Link Audit];
    /// Create cases and change their title and state.
    WriteCases: [Supervisor CaseHandler] [Link];
    /// Tie recordings to cases and untie them.
    Link: [Supervisor CaseHandler] [Link];
    /// Propose a tie that someone with `Link` confirms.
    ProposeLink: [Supervisor CaseHandler] [Link Upload];
    /// Read units, officers, recorders.
    ReadRegisters: [Administrator Supervisor CaseHandler Auditor] [Upload Read Link Admin Audit];
    /// Change units, officers, recorders and their assignments.
    WriteRegisters: [Administrator] [Admin];
    /// Read stations and dockings.
    ReadStations: [Administrator Supervisor CaseHandler Auditor] [Upload Read Admin Audit];
    /// Report as a station: its bays, its dockings.
    ReportStation: [] [Upload];
    /// Read, add, change and lock users.
    ManageUsers: [Administrator] [Admin];
    /// Read, create and revoke tokens.
    ManageTokens: [Administrator] [Admin];
    /// Read the ledger's entry bundles, which hold every unit's entries.
    ReadEntries: [Auditor] [Audit];
    /// Read the daemon's metrics.
    ReadMetrics: [Administrator] [Admin];
}

impl Action {
    /// Whether one of these scopes suffices.
    pub(super) fn open_to_scopes(self, scopes: Scopes) -> bool {
        scopes.any(self.scopes())
    }

    /// Whether the thing asked for stands above every unit, so that only the root's people have it.
    pub fn is_whole_system(self) -> bool {
        matches!(self, Self::ReadEntries | Self::ReadMetrics)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    /// The table of docs/access.md, as the code has it.
    fn table() -> String {
        let mut out = String::from("| what |");
        for name in Role::ALL.iter().map(|role| role.name()) {
            let _ = write!(out, " {name} |");
        }
        for name in Scope::ALL.iter().map(|scope| scope.name()) {
            let _ = write!(out, " `{name}` |");
        }
        let columns = Role::ALL.len() + Scope::ALL.len();
        let _ = write!(out, "\n|---|{}\n", "---|".repeat(columns));
        for action in Action::ALL {
            let whole = if action.is_whole_system() {
                " (root unit only)"
            } else {
                ""
            };
            let _ = write!(out, "| {action:?}{whole} |");
            let sign = |has| if has { " ● |" } else { " |" };
            for role in Role::ALL {
                out.push_str(sign(action.roles().contains(role)));
            }
            for scope in Scope::ALL {
                out.push_str(sign(action.scopes().contains(scope)));
            }
            out.push('\n');
        }
        out
    }

    #[test]
    fn the_document_says_what_the_code_does() {
        let document = include_str!("../../../../docs/access.md");
        let table = table();
        assert!(document.contains(&table), "docs/access.md wants:\n{table}");
    }

    #[test]
    fn scopes_read_and_write_alike() {
        let scopes: Scopes = "upload, read,link".parse().expect("known");
        assert!(scopes.has(Scope::Upload) && scopes.has(Scope::Link) && !scopes.has(Scope::Admin));
        assert_eq!(scopes.to_string(), "upload,read,link");
        assert!("".parse::<Scopes>().is_err());
        assert!("upload,root".parse::<Scopes>().is_err());
    }

    #[test]
    fn an_auditor_and_an_administrator_change_no_evidence() {
        use Action::*;
        for action in [
            Upload,
            Annotate,
            Mark,
            MakeClips,
            Correct,
            Hold,
            WriteCases,
            Link,
            ProposeLink,
        ] {
            for role in [Role::Auditor, Role::Administrator] {
                assert!(!action.roles().contains(&role), "{action:?} {role}");
            }
        }
    }
}
