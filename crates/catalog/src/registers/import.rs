//! Registers from CSV: a whole file or nothing of it, and every line that is refused is named.

use std::collections::HashMap;

use docket_base::ids::{AssignmentId, OfficerId, RecorderId, UnitId};
use docket_base::{Clock, Micros, Random};

use super::officers::{Officer, by_certificate};
use super::recorders::{Assignment, Recorder, by_serial, overlapping};
use super::units::{Unit, by_code, is_within};
use crate::engine::record::words;
use crate::error::{Error, Result};
use crate::page::Scope;
use crate::{Change, LineError};

/// More lines than this are refused: the writer is held while they are taken in.
const MAX_LINES: usize = 50_000;
/// So many refused lines are named, the rest only ends.
const MAX_ERRORS: usize = 100;

words! {
    /// The registers a file can hold.
    pub enum RegisterKind {
        /// `code,name,parent_code`, parents before children.
        Units = "units",
        /// `certificate_number,name,unit_code,category,area`.
        Officers = "officers",
        /// `serial,model,unit_code`.
        Recorders = "recorders",
        /// `recorder_serial,certificate_number,from_at,until_at`, times in RFC 3339.
        Assignments = "assignments",
    }
}

/// A row that an import entered or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportedRow {
    /// A unit.
    Unit(Unit),
    /// An officer.
    Officer(Officer),
    /// A recorder.
    Recorder(Recorder),
    /// An assignment.
    Assignment(Assignment),
}

/// What an import came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// Rows that are new.
    pub created: Vec<ImportedRow>,
    /// Rows that changed.
    pub updated: Vec<ImportedRow>,
    /// Lines that said what was known already.
    pub unchanged: usize,
}

/// The columns of a file, English or Chinese headings.
const HEADINGS: &[(&str, &[&str])] = &[
    ("code", &["单位编码", "编码"]),
    ("name", &["名称", "姓名", "单位名称"]),
    ("parent_code", &["上级单位编码", "上级编码"]),
    ("certificate_number", &["执法证号"]),
    ("unit_code", &["所属单位编码"]),
    ("category", &["执法类别"]),
    ("area", &["执法区域"]),
    ("serial", &["序列号", "设备序列号"]),
    ("model", &["型号"]),
    ("recorder_serial", &["记录仪序列号"]),
    ("from_at", &["开始时间"]),
    ("until_at", &["结束时间"]),
];

struct Table {
    columns: HashMap<&'static str, usize>,
    lines: Vec<(u64, csv::StringRecord)>,
}

struct Line<'a> {
    number: u64,
    columns: &'a HashMap<&'static str, usize>,
    record: &'a csv::StringRecord,
}

impl Line<'_> {
    fn optional(&self, column: &str) -> &str {
        self.columns
            .get(column)
            .and_then(|at| self.record.get(*at))
            .unwrap_or("")
            .trim()
    }

    fn required(&self, column: &'static str) -> Result<&str, String> {
        match self.optional(column) {
            "" => Err(format!("{column} is missing")),
            text if text.chars().count() > 500 => Err(format!("{column} is too long")),
            text => Ok(text),
        }
    }
}

/// UTF-8, with or without a byte order mark, or else GB18030, which is what spreadsheets here write.
fn decode(bytes: &[u8]) -> Result<String, LineError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(text.to_owned());
    }
    match encoding_rs::GB18030.decode_without_bom_handling(bytes) {
        (text, false) => Ok(text.into_owned()),
        (_, true) => Err(LineError {
            line: 1,
            reason: "neither UTF-8 nor GB18030".to_owned(),
        }),
    }
}

fn read(bytes: &[u8]) -> Result<Table, Vec<LineError>> {
    let text = decode(bytes).map_err(|e| vec![e])?;
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.as_bytes());
    let bad = |line: u64, reason: String| vec![LineError { line, reason }];
    let headings = reader.headers().map_err(|e| bad(1, e.to_string()))?;
    let mut columns = HashMap::new();
    for (at, heading) in headings.iter().enumerate() {
        let heading = heading.trim();
        if let Some((name, _)) = HEADINGS
            .iter()
            .find(|(name, also)| *name == heading || also.contains(&heading))
        {
            columns.insert(*name, at);
        }
    }
    let mut lines = Vec::new();
    for record in reader.records() {
        let record =
            record.map_err(|e| bad(e.position().map_or(0, csv::Position::line), e.to_string()))?;
        let number = record.position().map_or(0, csv::Position::line);
        if lines.len() == MAX_LINES {
            return Err(bad(number, format!("more than {MAX_LINES} lines")));
        }
        lines.push((number, record));
    }
    Ok(Table { columns, lines })
}

/// What a line needs besides itself.
struct Import<'a> {
    change: &'a mut Change,
    scope: &'a Scope,
    clock: &'a dyn Clock,
    random: &'a dyn Random,
    out: Imported,
}

/// A line's own mistake, or the database's.
enum Trouble {
    Line(String),
    Catalog(Error),
}

impl From<String> for Trouble {
    fn from(reason: String) -> Self {
        Self::Line(reason)
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(reason) => Self::Line(reason),
            other => Self::Catalog(other),
        }
    }
}

type Taken = Result<(), Trouble>;

impl Change {
    /// Takes in a register: what is new is entered, what differs is changed, nothing is removed. Units
    /// that lines name must lie within the scope. When any line is refused drop the change: some lines
    /// may have been taken in already.
    ///
    /// # Errors
    /// [`Error::Import`] with up to 100 refused lines.
    pub async fn import(
        &mut self,
        kind: RegisterKind,
        bytes: &[u8],
        scope: &Scope,
        clock: &dyn Clock,
        random: &dyn Random,
    ) -> Result<Imported> {
        let table = read(bytes).map_err(Error::Import)?;
        let mut import = Import {
            change: self,
            scope,
            clock,
            random,
            out: Imported::default(),
        };
        let mut errors = Vec::new();
        for (number, record) in &table.lines {
            let line = Line {
                number: *number,
                columns: &table.columns,
                record,
            };
            let taken = match kind {
                RegisterKind::Units => import.unit(&line).await,
                RegisterKind::Officers => import.officer(&line).await,
                RegisterKind::Recorders => import.recorder(&line).await,
                RegisterKind::Assignments => import.assignment(&line).await,
            };
            match taken {
                Ok(()) => {}
                Err(Trouble::Line(reason)) => errors.push(LineError {
                    line: line.number,
                    reason,
                }),
                Err(Trouble::Catalog(error)) => return Err(error),
            }
            if errors.len() == MAX_ERRORS {
                break;
            }
        }
        if errors.is_empty() {
            Ok(import.out)
        } else {
            Err(Error::Import(errors))
        }
    }
}

impl Import<'_> {
    async fn unit_within(&mut self, code: &str) -> Result<UnitId, Trouble> {
        let unknown = || Trouble::Line(format!("no unit {code} that you may use"));
        let unit = by_code(&mut self.change.db, code)
            .await?
            .ok_or_else(unknown)?;
        self.within(unit.id)
            .await?
            .then_some(unit.id)
            .ok_or_else(unknown)
    }

    async fn within(&mut self, unit: UnitId) -> Result<bool> {
        let Scope::Subtrees(roots) = self.scope else {
            return Ok(true);
        };
        for root in roots {
            if is_within(&mut self.change.db, unit, *root).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Refuses to touch a row of a unit outside the scope, without saying whose it is.
    async fn may_change(&mut self, unit: UnitId) -> Taken {
        if self.within(unit).await? {
            Ok(())
        } else {
            Err("in use outside your unit".to_owned().into())
        }
    }

    async fn unit(&mut self, line: &Line<'_>) -> Taken {
        let (code, name) = (line.required("code")?, line.required("name")?);
        let old = by_code(&mut self.change.db, code).await?;
        let parent_id = match line.optional("parent_code") {
            // A root is kept where it is, and entered only by those who see everything.
            "" => match &old {
                Some(old) => old.parent_id,
                None if *self.scope == Scope::Everything => None,
                None => return Err("parent_code is missing".to_owned().into()),
            },
            parent => Some(self.unit_within(parent).await?),
        };
        let Some(old) = old else {
            let id = UnitId::fresh(self.clock, self.random);
            let created_at = self.clock.now();
            let new = Unit {
                id,
                parent_id,
                code: code.to_owned(),
                name: name.to_owned(),
                version: 1,
                created_at,
            };
            self.change.add_unit(&new).await?;
            self.out.created.push(ImportedRow::Unit(new));
            return Ok(());
        };
        self.may_change(old.id).await?;
        let new = Unit {
            parent_id,
            name: name.to_owned(),
            ..old.clone()
        };
        if new == old {
            self.out.unchanged += 1;
            return Ok(());
        }
        let new = self.change.update_unit(&new).await?;
        self.out.updated.push(ImportedRow::Unit(new));
        Ok(())
    }

    async fn officer(&mut self, line: &Line<'_>) -> Taken {
        let (number, name) = (line.required("certificate_number")?, line.required("name")?);
        let unit_id = self.unit_within(line.required("unit_code")?).await?;
        let old = by_certificate(&mut self.change.db, number).await?;
        let new = Officer {
            id: old
                .as_ref()
                .map_or_else(|| OfficerId::fresh(self.clock, self.random), |old| old.id),
            name: name.to_owned(),
            certificate_number: number.to_owned(),
            unit_id,
            category: line.optional("category").to_owned(),
            area: line.optional("area").to_owned(),
            version: old.as_ref().map_or(1, |old| old.version),
            created_at: old
                .as_ref()
                .map_or_else(|| self.clock.now(), |old| old.created_at),
        };
        let Some(old) = old else {
            self.change.add_officer(&new).await?;
            self.out.created.push(ImportedRow::Officer(new));
            return Ok(());
        };
        self.may_change(old.unit_id).await?;
        if new == old {
            self.out.unchanged += 1;
            return Ok(());
        }
        let new = self.change.update_officer(&new).await?;
        self.out.updated.push(ImportedRow::Officer(new));
        Ok(())
    }

    async fn recorder(&mut self, line: &Line<'_>) -> Taken {
        let serial = line.required("serial")?;
        let unit_id = self.unit_within(line.required("unit_code")?).await?;
        let old = by_serial(&mut self.change.db, serial).await?;
        let new = Recorder {
            id: old
                .as_ref()
                .map_or_else(|| RecorderId::fresh(self.clock, self.random), |old| old.id),
            serial: serial.to_owned(),
            model: line.optional("model").to_owned(),
            unit_id,
            version: old.as_ref().map_or(1, |old| old.version),
            created_at: old
                .as_ref()
                .map_or_else(|| self.clock.now(), |old| old.created_at),
        };
        let Some(old) = old else {
            self.change.add_recorder(&new).await?;
            self.out.created.push(ImportedRow::Recorder(new));
            return Ok(());
        };
        self.may_change(old.unit_id).await?;
        if new == old {
            self.out.unchanged += 1;
            return Ok(());
        }
        let new = self.change.update_recorder(&new).await?;
        self.out.updated.push(ImportedRow::Recorder(new));
        Ok(())
    }

    async fn assignment(&mut self, line: &Line<'_>) -> Taken {
        let serial = line.required("recorder_serial")?;
        let number = line.required("certificate_number")?;
        let recorder = by_serial(&mut self.change.db, serial).await?;
        let recorder = recorder.ok_or_else(|| format!("no recorder {serial}"))?;
        let officer = by_certificate(&mut self.change.db, number).await?;
        let officer = officer.ok_or_else(|| format!("no officer {number}"))?;
        self.may_change(recorder.unit_id).await?;
        self.may_change(officer.unit_id).await?;
        let time = |text: &str| Micros::parse_rfc3339(text).map_err(|e| e.to_string());
        let new = Assignment {
            id: AssignmentId::fresh(self.clock, self.random),
            recorder_id: recorder.id,
            officer_id: officer.id,
            from_at: time(line.required("from_at")?)?,
            until_at: Some(line.optional("until_at"))
                .filter(|text| !text.is_empty())
                .map(time)
                .transpose()?,
        };
        let same = |old: &Assignment| {
            Assignment {
                id: old.id,
                ..new.clone()
            } == *old
        };
        if overlapping(&mut self.change.db, &new)
            .await?
            .is_some_and(|old| same(&old))
        {
            self.out.unchanged += 1;
            return Ok(());
        }
        self.change.assign(&new).await?;
        self.out.created.push(ImportedRow::Assignment(new));
        Ok(())
    }
}
