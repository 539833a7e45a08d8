//! `DOCKET_*` variables laid over the file's table.

use anyhow::bail;
use toml::{Table, Value};

const PREFIX: &str = "DOCKET_";

/// Variables of the same prefix that other programs of the project read.
const NOT_OURS: [&str; 3] = ["DOCKET_CONFIG", "DOCKET_CASES", "DOCKET_WEED"];
const NOT_OURS_PREFIXES: [&str; 3] = ["DOCKET_DOCK_", "DOCKET_TEST_", "DOCKET_BENCH_"];

/// Sets each `DOCKET_A__B=value` at `a.b`. Which keys exist is for the structs to say afterwards.
pub fn overlay(
    table: &mut Table,
    variables: impl Iterator<Item = (String, String)>,
) -> anyhow::Result<()> {
    for (name, text) in variables {
        let ours = name.starts_with(PREFIX)
            && !NOT_OURS.contains(&name.as_str())
            && !NOT_OURS_PREFIXES
                .iter()
                .any(|prefix| name.starts_with(prefix));
        if !ours {
            continue;
        }
        let path: Vec<String> = name[PREFIX.len()..]
            .split("__")
            .map(str::to_lowercase)
            .collect();
        set(table, &name, &path, value(&text))?;
    }
    Ok(())
}

fn set(table: &mut Table, name: &str, path: &[String], value: Value) -> anyhow::Result<()> {
    match path {
        [] => Ok(()),
        [key] => {
            table.insert(key.clone(), value);
            Ok(())
        }
        [section, rest @ ..] => {
            match table
                .entry(section.clone())
                .or_insert_with(|| Value::Table(Table::new()))
            {
                Value::Table(inner) => set(inner, name, rest, value),
                _ => bail!("{name}: {section} is not a section"),
            }
        }
    }
}

/// Numbers, booleans and lists as TOML writes them; anything else is text as it stands.
fn value(text: &str) -> Value {
    let parsed = format!("v = {text}")
        .parse::<Table>()
        .ok()
        .and_then(|mut table| table.remove("v"));
    match parsed {
        Some(value @ (Value::Integer(_) | Value::Boolean(_) | Value::Array(_))) => value,
        _ => Value::String(text.to_owned()),
    }
}
