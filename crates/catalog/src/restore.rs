//! What `rebuild` looks up inside its change: rows that the same change entered a moment before.

use docket_base::ids::{
    CaseId, DockingId, OfficerId, RecorderId, RuleId, StationId, TokenId, UserId,
};

use crate::engine::value::args;
use crate::error::Result;
use crate::{Case, Change, Docking, Officer, Recorder, RetentionRule, Station, Token, User};

macro_rules! lookups {
    ($($(#[$doc:meta])* $name:ident($id:ty) -> $row:ty = $sql:literal;)*) => {
        impl Change {$(
            $(#[$doc])*
            ///
            /// # Errors
            /// The database's.
            pub async fn $name(&mut self, id: $id) -> Result<Option<$row>> {
                self.db.one($sql, args![id]).await
            }
        )*}
    };
}

lookups! {
    /// An officer, as this change sees it.
    officer(OfficerId) -> Officer = "SELECT * FROM officers WHERE id = $1";
    /// A recorder, as this change sees it.
    recorder(RecorderId) -> Recorder = "SELECT * FROM recorders WHERE id = $1";
    /// A station, as this change sees it.
    station(StationId) -> Station = "SELECT * FROM stations WHERE id = $1";
    /// A docking, as this change sees it.
    docking(DockingId) -> Docking = "SELECT * FROM dockings WHERE id = $1";
    /// A case, as this change sees it.
    case(CaseId) -> Case = "SELECT * FROM cases WHERE id = $1";
    /// A user, as this change sees it.
    user(UserId) -> User = "SELECT * FROM users WHERE id = $1";
    /// A token, as this change sees it.
    token(TokenId) -> Token = "SELECT * FROM tokens WHERE id = $1";
    /// A retention rule, as this change sees it.
    retention_rule(RuleId) -> RetentionRule = "SELECT * FROM retention_rules WHERE id = $1";
}
