//! Retention rules 保存期限: configuration as rows. What they lead to is decided elsewhere.

use docket_base::Micros;
use docket_base::ids::{RuleId, UnitId};

use crate::engine::Statement;
use crate::engine::record::rows;
use crate::engine::value::args;
use crate::error::{Error, Result};
use crate::page::Scope;
use crate::words::RecordingKind;
use crate::{Catalog, Change};

rows! {
    /// How long recordings of a unit's subtree are kept.
    pub struct RetentionRule in "retention_rules" {
        /// Its id.
        pub id: RuleId,
        /// For this unit and all below.
        pub unit_id: UnitId,
        /// What people call it.
        pub name: String,
        /// Only recordings of this kind.
        pub kind: Option<RecordingKind>,
        /// Only recordings with this tag.
        pub tag: Option<String>,
        /// Days from the seal on; `None`: for ever.
        pub keep_days: Option<u32>,
        /// Counts its changes from 1.
        pub version: i64,
        /// When it was entered.
        pub created_at: Micros,
    }
}

impl Change {
    /// Enters a rule.
    ///
    /// # Errors
    /// [`Error::Refused`] for an unknown unit.
    pub async fn add_retention_rule(&mut self, r: &RetentionRule) -> Result<()> {
        let sql = "INSERT INTO retention_rules (id, unit_id, name, kind, tag, keep_days, version, created_at_us)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let values = args![
            r.id,
            r.unit_id,
            r.name,
            r.kind,
            r.tag,
            r.keep_days,
            r.version,
            r.created_at
        ];
        self.db.execute(sql, values).await?;
        Ok(())
    }

    /// Changes a rule; the version must be the one the caller saw, and goes up by one.
    ///
    /// # Errors
    /// [`Error::Stale`].
    pub async fn update_retention_rule(&mut self, r: &RetentionRule) -> Result<RetentionRule> {
        let sql = "UPDATE retention_rules SET unit_id = $1, name = $2, kind = $3, tag = $4, keep_days = $5,
                version = version + 1
            WHERE id = $6 AND version = $7 RETURNING *";
        let values = args![
            r.unit_id,
            r.name,
            r.kind,
            r.tag,
            r.keep_days,
            r.id,
            r.version
        ];
        self.db
            .one(sql, values)
            .await?
            .ok_or_else(|| Error::stale("retention rule", r.id))
    }

    /// Takes a rule away.
    ///
    /// # Errors
    /// [`Error::Missing`].
    pub async fn remove_retention_rule(&mut self, id: RuleId) -> Result<()> {
        if self
            .db
            .execute("DELETE FROM retention_rules WHERE id = $1", args![id])
            .await?
            == 0
        {
            return Err(Error::missing("retention rule", id));
        }
        Ok(())
    }
}

impl Catalog {
    /// The rules of a scope.
    ///
    /// # Errors
    /// The database's.
    pub async fn retention_rules(&self, scope: &Scope) -> Result<Vec<RetentionRule>> {
        let mut s = Statement::new("SELECT * FROM retention_rules WHERE id IS NOT NULL");
        scope.restrict("unit_id", &mut s);
        s.push(" ORDER BY id LIMIT 10000");
        self.read().await?.all(s.text, s.values).await
    }
}
