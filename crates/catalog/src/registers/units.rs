//! Units 单位: a tree, kept with its closure so that "within the subtree of" is one lookup.

use docket_base::Micros;
use docket_base::ids::{RecordingId, UnitId};

use crate::engine::record::rows;
use crate::engine::value::args;
use crate::engine::{Db, Statement};
use crate::error::{Error, Result};
use crate::page::Scope;
use crate::search::document::reindex;
use crate::{Catalog, Change};

/// Deeper trees are refused: no administration is that deep, and a mistake might be.
const MAX_DEPTH: i64 = 16;

rows! {
    /// A unit.
    pub struct Unit in "units" {
        /// Its id.
        pub id: UnitId,
        /// The unit above; `None` at a root.
        pub parent_id: Option<UnitId>,
        /// Unique short code, for imports and commands.
        pub code: String,
        /// Its name.
        pub name: String,
        /// Counts its changes from 1; names its register file.
        pub version: i64,
        /// When it was entered.
        pub created_at: Micros,
    }

    /// A recording's id.
    pub struct RecordingKey in "recordings" {
        /// It.
        pub id: RecordingId,
    }
}

impl Change {
    /// Enters a unit.
    ///
    /// # Errors
    /// [`Error::Taken`] code; [`Error::Missing`] parent; [`Error::Refused`] beyond 16 levels.
    pub async fn add_unit(&mut self, unit: &Unit) -> Result<()> {
        let sql = "INSERT INTO units (id, parent_id, code, name, version, created_at_us) VALUES ($1, $2, $3, $4, $5, $6)";
        if let Some(parent) = unit.parent_id {
            self.unit(parent)
                .await?
                .ok_or_else(|| Error::missing("unit", parent))?;
        }
        let values = args![
            unit.id,
            unit.parent_id,
            unit.code,
            unit.name,
            unit.version,
            unit.created_at
        ];
        self.db.execute(sql, values).await?;
        hang(&mut self.db, unit.id, unit.parent_id).await
    }

    /// Changes name, code or place of a unit; its version must be the one the caller saw, and goes up
    /// by one. A unit that moves takes its subtree along, and the search documents of every recording in
    /// it are written anew: rare, and slow for a large subtree.
    ///
    /// # Errors
    /// [`Error::Stale`], [`Error::Taken`] code, [`Error::Missing`], [`Error::Refused`] for a cycle.
    pub async fn update_unit(&mut self, unit: &Unit) -> Result<Unit> {
        let old = self
            .unit(unit.id)
            .await?
            .ok_or_else(|| Error::missing("unit", unit.id))?;
        let sql = "UPDATE units SET parent_id = $1, code = $2, name = $3, version = version + 1
            WHERE id = $4 AND version = $5";
        let values = args![unit.parent_id, unit.code, unit.name, unit.id, unit.version];
        if self.db.execute(sql, values).await? == 0 {
            return Err(Error::stale("unit", unit.id));
        }
        if old.parent_id != unit.parent_id {
            self.move_unit(unit).await?;
        }
        Ok(Unit {
            version: unit.version + 1,
            created_at: old.created_at,
            ..unit.clone()
        })
    }

    async fn move_unit(&mut self, unit: &Unit) -> Result<()> {
        if let Some(parent) = unit.parent_id {
            self.unit(parent)
                .await?
                .ok_or_else(|| Error::missing("unit", parent))?;
            if is_within(&mut self.db, parent, unit.id).await? {
                return Err(Error::Refused(
                    "a unit can't be put under itself".to_owned(),
                ));
            }
        }
        // Cut: every way from above the unit into its subtree. Then hang the subtree on anew.
        let cut = "DELETE FROM unit_ancestors
            WHERE unit_id IN (SELECT d.unit_id FROM unit_ancestors d WHERE d.ancestor_id = $1)
              AND ancestor_id IN (SELECT a.ancestor_id FROM unit_ancestors a WHERE a.unit_id = $1 AND a.depth > 0)";
        self.db.execute(cut, args![unit.id]).await?;
        if let Some(parent) = unit.parent_id {
            let join = "INSERT INTO unit_ancestors (unit_id, ancestor_id, depth)
                SELECT d.unit_id, a.ancestor_id, a.depth + d.depth + 1
                FROM unit_ancestors a, unit_ancestors d WHERE a.unit_id = $1 AND d.ancestor_id = $2";
            self.db.execute(join, args![parent, unit.id]).await?;
        }
        check_depth(&mut self.db, unit.id).await?;
        self.reindex_subtree(unit.id).await
    }

    async fn reindex_subtree(&mut self, root: UnitId) -> Result<()> {
        let mut after = String::new();
        loop {
            let sql = "SELECT r.id FROM recordings r JOIN unit_ancestors a ON a.unit_id = r.unit_id
                WHERE a.ancestor_id = $1 AND r.id > $2 ORDER BY r.id LIMIT 1000";
            let rows: Vec<RecordingKey> = self.db.all(sql, args![root, after]).await?;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            after = last.id.to_string();
            for row in &rows {
                reindex(&mut self.db, row.id).await?;
            }
        }
    }

    /// A unit, as this change sees it.
    ///
    /// # Errors
    /// The database's.
    pub async fn unit(&mut self, id: UnitId) -> Result<Option<Unit>> {
        unit(&mut self.db, id).await
    }
}

impl Catalog {
    /// A unit.
    ///
    /// # Errors
    /// The database's.
    pub async fn unit(&self, id: UnitId) -> Result<Option<Unit>> {
        unit(&mut self.read().await?, id).await
    }

    /// The unit with this code.
    ///
    /// # Errors
    /// The database's.
    pub async fn unit_by_code(&self, code: &str) -> Result<Option<Unit>> {
        by_code(&mut self.read().await?, code).await
    }

    /// All units of a scope, parents before children.
    ///
    /// # Errors
    /// The database's.
    pub async fn units(&self, scope: &Scope) -> Result<Vec<Unit>> {
        let mut s = Statement::new(
            "SELECT u.* FROM units u JOIN (SELECT unit_id, max(depth) AS depth FROM unit_ancestors GROUP BY unit_id) d
             ON d.unit_id = u.id WHERE u.id IS NOT NULL",
        );
        scope.restrict("u.id", &mut s);
        s.push(" ORDER BY d.depth, u.code");
        self.read().await?.all(s.text, s.values).await
    }

    /// Whether a unit is `root` or lies below it.
    ///
    /// # Errors
    /// The database's.
    pub async fn unit_is_within(&self, unit: UnitId, root: UnitId) -> Result<bool> {
        is_within(&mut self.read().await?, unit, root).await
    }
}

async fn unit(db: &mut Db, id: UnitId) -> Result<Option<Unit>> {
    db.one("SELECT * FROM units WHERE id = $1", args![id]).await
}

pub(crate) async fn by_code(db: &mut Db, code: &str) -> Result<Option<Unit>> {
    db.one("SELECT * FROM units WHERE code = $1", args![code])
        .await
}

pub(crate) async fn is_within(db: &mut Db, unit: UnitId, root: UnitId) -> Result<bool> {
    let sql = "SELECT count(*) AS n FROM unit_ancestors WHERE unit_id = $1 AND ancestor_id = $2";
    Ok(db.count(sql, args![unit, root]).await? > 0)
}

async fn hang(db: &mut Db, unit: UnitId, parent: Option<UnitId>) -> Result<()> {
    let own = "INSERT INTO unit_ancestors (unit_id, ancestor_id, depth) VALUES ($1, $1, 0)";
    db.execute(own, args![unit]).await?;
    if let Some(parent) = parent {
        let above = "INSERT INTO unit_ancestors (unit_id, ancestor_id, depth)
            SELECT $1, ancestor_id, depth + 1 FROM unit_ancestors WHERE unit_id = $2";
        db.execute(above, args![unit, parent]).await?;
    }
    check_depth(db, unit).await
}

async fn check_depth(db: &mut Db, unit: UnitId) -> Result<()> {
    let sql = "SELECT count(*) AS n FROM unit_ancestors
        WHERE unit_id IN (SELECT unit_id FROM unit_ancestors WHERE ancestor_id = $1) AND depth > $2";
    if db.count(sql, args![unit, MAX_DEPTH]).await? > 0 {
        return Err(Error::Refused(format!(
            "units nest at most {MAX_DEPTH} deep"
        )));
    }
    Ok(())
}
