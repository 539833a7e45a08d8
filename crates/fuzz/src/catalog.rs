//! Registers from spreadsheets, and texts as they are compared.

use std::cell::RefCell;

use docket_base::clock::ManualClock;
use docket_base::ids::UnitId;
use docket_base::random::CountingRandom;
use docket_base::{Micros, Random};
use docket_catalog::{
    Catalog, Cursor, Error, RegisterKind, Scope, Unit, case_number_key, name_key,
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::text;
use crate::wait::runtime;

/// So many refused lines are named.
const MOST_NAMED: usize = 100;

/// What is compared is compared the same however often it was made comparable; a cursor is given back as it came.
pub fn keys(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let number = case_number_key(text);
    assert_eq!(case_number_key(&number), number);
    assert!(!number.contains(char::is_whitespace) && !number.contains(char::is_control));
    let name = name_key(text);
    assert_eq!(name_key(&name), name);
    assert_eq!(name.trim(), name);
    if let Ok(cursor) = text.parse::<Cursor>() {
        assert_eq!(cursor.to_string(), text);
    }
}

struct Desk {
    runtime: Runtime,
    catalog: Catalog,
    clock: ManualClock,
    random: CountingRandom,
    _folder: TempDir,
}

thread_local! {
    static DESK: RefCell<Option<Desk>> = const { RefCell::new(None) };
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = ManualClock::at(Micros(1_795_000_000_000_000));
        let runtime = runtime();
        let file = folder.path().join("catalog.sqlite");
        let opening = Catalog::open_sqlite(&file, &clock);
        let catalog = runtime.block_on(opening).expect("a catalog");
        Self {
            runtime,
            catalog,
            clock,
            random: CountingRandom::default(),
            _folder: folder,
        }
    }

    /// In a change that is dropped: nothing stays.
    async fn import(&self, kind: RegisterKind, file: &[u8]) {
        let mut change = self.catalog.change().await.expect("a change");
        let unit = Unit {
            id: UnitId::fresh(&self.clock, &self.random as &dyn Random),
            parent_id: None,
            code: "A".into(),
            name: "单位".into(),
            version: 1,
            created_at: Micros(0),
        };
        change.add_unit(&unit).await.expect("the first unit");
        let taken = change
            .import(kind, file, &Scope::Everything, &self.clock, &self.random)
            .await;
        match taken {
            Ok(taken) => {
                let rows = taken.created.len() + taken.updated.len() + taken.unchanged;
                assert!(rows <= file.iter().filter(|b| matches!(b, b'\n' | b'\r')).count() + 1);
            }
            Err(Error::Import(lines)) => {
                assert!((1..=MOST_NAMED).contains(&lines.len()));
                assert!(lines.iter().all(|line| !line.reason.is_empty()));
            }
            Err(other) => panic!("not the file's fault: {other}"),
        }
    }
}

/// A register is taken in, or each refused line is named; the database is never to blame.
pub fn import(bytes: &[u8]) {
    let Some((kind, file)) = bytes.split_first() else {
        return;
    };
    let kinds = [
        RegisterKind::Units,
        RegisterKind::Officers,
        RegisterKind::Recorders,
        RegisterKind::Assignments,
    ];
    let kind = kinds[usize::from(*kind) % kinds.len()];
    DESK.with_borrow_mut(|desk| {
        let desk = desk.get_or_insert_with(Desk::new);
        desk.runtime.block_on(desk.import(kind, file));
    });
}

/// To begin with.
pub mod seeds {
    /// Numbers and names that look alike, and cursors.
    pub fn keys() -> Vec<Vec<u8>> {
        crate::texts(&[
            "贵卫医罚〔2026〕12号",
            "贵卫医罚（２０２６） 12号",
            " Ｌｉ Wei ",
            "e \u{301} \u{1100} \u{1161}",
            "İstanbul ǅ ﬃ ㍿",
            "8000000000000007",
            "0190163d-8694-739a-aea6-966b6d7bd9a9",
        ])
    }

    /// A file of each kind.
    pub fn import() -> Vec<Vec<u8>> {
        let mut all = crate::texts(&[
            "\0code,name,parent_code\nA,单位,\nB,\"second, quoted\",A\nC,third,B\n",
            "\0\u{feff}单位编码,单位名称,上级编码\r\nB,南明区,A\r\n",
            "\x01certificate_number,name,unit_code,category,area\n52010012345,李伟,A,卫生,南明区\n52010012345,李伟,A,,\n",
            "\x02serial,model,unit_code\nREC0001,DSJ-7,A\nREC0002,,A\n",
            "\x03recorder_serial,certificate_number,from_at,until_at\nREC0001,52010012345,2026-01-01T00:00:00+08:00,\n",
        ]);
        all.push(b"\0code,name,parent_code\nB,\xc4\xcf\xc3\xf7\xc7\xf8,A\n".to_vec());
        all
    }
}
