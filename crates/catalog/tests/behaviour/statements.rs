//! Every whole statement in the sources is prepared on both engines, so that none waits for its day to
//! turn out wrong. Those put together from parts are run by the cases.

use std::collections::BTreeSet;
use std::path::Path;

use sqlx::{AssertSqlSafe, Connection, Executor, SqlSafeStr};

use crate::fixture::Fixture;
use crate::postgres::Server;

#[tokio::test]
async fn are_prepared_on_sqlite() {
    let (f, dir) = Fixture::sqlite().await;
    let url = format!("sqlite://{}", dir.path().join("catalog.sqlite").display());
    let mut raw = sqlx::SqliteConnection::connect(&url).await.expect("open");
    for sql in statements() {
        let prepared = (&mut raw)
            .prepare(AssertSqlSafe(sql.clone()).into_sql_str())
            .await;
        assert!(prepared.is_ok(), "{sql}: {:?}", prepared.err());
    }
    f.catalog.close().await;
}

pub async fn are_prepared_on_postgres(server: &Server) {
    let url = server.schema("statements").await;
    let f = Fixture::postgres(&url).await;
    let mut raw = sqlx::PgConnection::connect(&url).await.expect("open");
    for sql in statements() {
        let prepared = (&mut raw)
            .prepare(AssertSqlSafe(sql.clone()).into_sql_str())
            .await;
        assert!(prepared.is_ok(), "{sql}: {:?}", prepared.err());
    }
    f.catalog.close().await;
}

fn statements() -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut out);
    assert!(
        out.len() > 120,
        "only {} statements found: has their shape changed?",
        out.len()
    );
    out
}

fn collect(dir: &Path, out: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(dir).expect("sources") {
        let path = entry.expect("sources").path();
        if path.is_dir() {
            collect(&path, out);
        } else if path.file_name().is_some_and(|name| name != "dialect.rs") {
            let source = std::fs::read_to_string(&path).expect("source");
            out.extend(
                literals(&source)
                    .into_iter()
                    .filter(|text| is_statement(text)),
            );
        }
    }
}

fn is_statement(text: &str) -> bool {
    let verb = ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM "]
        .iter()
        .any(|verb| text.starts_with(verb));
    // What ends in a space, a bracket or a joining word, or has holes, is a part of something larger.
    let part = text.ends_with([' ', '('])
        || text.contains('{')
        || text.ends_with(" IN")
        || text.ends_with("page_id");
    verb && !part
}

/// The string literals of a source file, comments aside.
fn literals(source: &str) -> Vec<String> {
    let mut out = Vec::new();
    for line_group in source.split("\n\n") {
        let code: Vec<&str> = line_group
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect();
        let code = code.join("\n").replace("'\"'", "").replace("\\\"", "");
        out.extend(code.split('"').skip(1).step_by(2).map(str::to_owned));
    }
    out
}
