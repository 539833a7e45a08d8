//! What the authorisation decides by: where things hang in the tree of units.

use docket_base::ids::UnitId;

use crate::Catalog;
use crate::cases::Case;
use crate::engine::Statement;
use crate::engine::record::rows;
use crate::engine::value::args;
use crate::error::Result;
use crate::page::Scope;
use crate::text::case_number_key;

rows! {
    /// A unit above another, or the unit itself.
    pub struct Ancestor in "unit_ancestors" {
        /// Which.
        pub ancestor_id: UnitId,
    }
}

impl Catalog {
    /// The way to a unit: from the root down, the unit itself last. Empty for a unit that isn't there.
    ///
    /// # Errors
    /// The database's.
    pub async fn unit_path(&self, id: UnitId) -> Result<Vec<UnitId>> {
        let sql = "SELECT ancestor_id FROM unit_ancestors WHERE unit_id = $1 ORDER BY depth DESC";
        let path: Vec<Ancestor> = self.read().await?.all(sql, args![id]).await?;
        Ok(path.into_iter().map(|unit| unit.ancestor_id).collect())
    }

    /// The cases of this number in the units of a scope, at most ten: a number is unique only within its unit.
    ///
    /// # Errors
    /// The database's.
    pub async fn cases_by_number(&self, number: &str, scope: &Scope) -> Result<Vec<Case>> {
        let mut s = Statement::new("SELECT * FROM cases WHERE number_key = ");
        s.bind(case_number_key(number));
        scope.restrict("unit_id", &mut s);
        s.push(" ORDER BY id LIMIT 10");
        self.read().await?.all(s.text, s.values).await
    }
}
