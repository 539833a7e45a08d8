//! Fills a catalog with a million recordings and measures the pages of its listings.
//!
//! `million [FILE] [COUNT]`: the file is kept and used again when it already holds that many. Ends with
//! status 1 when a page's p99 is over 50 ms. Beside the time on the wall stands the processor's, which
//! a busy machine doesn't change much.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use docket_base::clock::ManualClock;
use docket_base::ids::{EventId, RecordingId, UnitId};
use docket_base::random::CountingRandom;
use docket_base::{Micros, SystemClock};
use docket_catalog::{
    ActorKind, ActorRef, Catalog, Change, EventRow, Filter, NewRecording, RecordingKind,
    RecordingState, Scope, Unit,
};

type AnyResult<T> = Result<T, Box<dyn std::error::Error>>;

const DISTRICTS: u64 = 90;
/// The smallest unit: one recording in two thousand.
const SMALL: usize = 0;
const BUDGET: Duration = Duration::from_millis(50);
const PAGES_PER_QUESTION: usize = 200;

/// A reproducible stream of numbers; what it makes need not be unpredictable.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    fn pick<'a>(&mut self, from: &'a [&'a str]) -> &'a str {
        from[self.below(from.len() as u64) as usize]
    }
}

const SURNAMES: &[&str] = &[
    "王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "徐", "孙", "马", "朱", "胡", "郭",
    "何", "林", "罗", "高",
];
const GIVEN: &[&str] = &[
    "伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明",
];
const PLACES: &[&str] = &[
    "诊所",
    "医院",
    "美容院",
    "学校",
    "宾馆",
    "游泳馆",
    "理发店",
    "水厂",
    "幼儿园",
    "商场",
    "浴室",
    "药房",
];
const MATTERS: &[&str] = &[
    "无证行医",
    "消毒记录",
    "卫生许可证",
    "饮用水",
    "放射防护",
    "医疗废物",
    "从业人员健康证",
    "职业病危害",
    "传染病报告",
    "公共场所卫生",
    "超范围执业",
    "整改复查",
];

fn notes(dice: &mut Dice, n: u64) -> String {
    let mut text = format!(
        "{}{}在{}",
        dice.pick(SURNAMES),
        dice.pick(GIVEN),
        dice.pick(PLACES)
    );
    if dice.below(10) < 4 {
        text.push_str("现场检查"); // the term in 40 % of rows
    }
    text.push_str(dice.pick(MATTERS));
    if n.is_multiple_of(50_000) {
        text.push_str("麒麟"); // the rare one: 20 rows
    }
    if dice.below(100) < 30 {
        text.push_str(&format!(
            "，{}，{}号楼{}室",
            dice.pick(MATTERS),
            dice.below(90),
            dice.below(2000)
        ));
    }
    text
}

struct Tree {
    province: UnitId,
    cities: Vec<UnitId>,
    districts: Vec<UnitId>,
}

async fn tree(catalog: &Catalog) -> AnyResult<Tree> {
    let (clock, random) = (
        ManualClock::at(Micros(1_700_000_000_000_000)),
        CountingRandom::default(),
    );
    let mut ids = (0..=9 + DISTRICTS)
        .map(|_| UnitId::fresh(&clock, &random))
        .collect::<Vec<_>>();
    let districts = ids.split_off(10);
    let (province, cities) = (ids[0], ids[1..].to_vec());
    if catalog.unit(province).await?.is_none() {
        let mut change = catalog.change().await?;
        let unit = |id, parent_id, code: String| Unit {
            id,
            parent_id,
            name: code.clone(),
            code,
            version: 1,
            created_at: Micros(0),
        };
        change
            .add_unit(&unit(province, None, "52".to_owned()))
            .await?;
        for (n, city) in cities.iter().enumerate() {
            change
                .add_unit(&unit(*city, Some(province), format!("52{n:02}")))
                .await?;
        }
        for (n, district) in districts.iter().enumerate() {
            change
                .add_unit(&unit(
                    *district,
                    Some(cities[n % 9]),
                    format!("52{:02}{n:02}", n % 9),
                ))
                .await?;
        }
        change
            .commit(&[event(EventId::fresh(&clock, &random), None)])
            .await?;
    }
    Ok(Tree {
        province,
        cities,
        districts,
    })
}

fn event(id: EventId, recording: Option<RecordingId>) -> EventRow {
    EventRow {
        id,
        kind: "recording.created".to_owned(),
        at: Micros(0),
        unit: None,
        recording,
        case: None,
        station: None,
        actor: ActorRef::new(ActorKind::System, "bench"),
        entry: vec![0; 400],
    }
}

async fn fill(catalog: &Catalog, tree: &Tree, count: u64) -> AnyResult<()> {
    let have = catalog.recordings_by_id(None, 1).await?.len();
    if have > 0 {
        return Ok(());
    }
    let (clock, random) = (
        ManualClock::at(Micros(1_700_000_000_000_000)),
        CountingRandom::default(),
    );
    let mut dice = Dice(88_172_645_463_325_252);
    let started = Instant::now();
    let mut change: Option<Change> = None;
    let mut events = Vec::new();
    for n in 0..count {
        clock.advance_seconds(60);
        // Uploads arrive out of order: up to a day late.
        let recorded =
            Micros(1_700_000_000_000_000).plus_seconds((60 * n) as i64 - dice.below(86_400) as i64);
        let district = if dice.below(2_000) == 0 {
            SMALL
        } else {
            1 + dice.below(DISTRICTS - 1) as usize
        };
        let new = recording(
            &mut dice,
            n,
            tree.districts[district],
            recorded,
            RecordingId::fresh(&clock, &random),
        );
        let open = match &mut change {
            Some(open) => open,
            none => none.insert(catalog.change().await?),
        };
        open.insert_recording(&new).await?;
        events.push(event(EventId::fresh(&clock, &random), Some(new.id)));
        let full = events.len() == 500 || n + 1 == count;
        if full && let Some(change) = change.take() {
            change.commit(&std::mem::take(&mut events)).await?;
        }
        if (n + 1) % 100_000 == 0 {
            println!(
                "{} recordings, {:.0} s",
                n + 1,
                started.elapsed().as_secs_f64()
            );
        }
    }
    Ok(())
}

fn recording(
    dice: &mut Dice,
    n: u64,
    unit_id: UnitId,
    recorded_at: Micros,
    id: RecordingId,
) -> NewRecording {
    let stamp: String = recorded_at
        .to_rfc3339()
        .chars()
        .filter(char::is_ascii_digit)
        .take(14)
        .collect();
    let key = dice.below(50) == 0;
    NewRecording {
        id,
        kind: if dice.below(20) == 0 {
            RecordingKind::Photo
        } else {
            RecordingKind::Video
        },
        file_name: format!("VID_{}_{}_{:04}.MP4", &stamp[..8], &stamp[8..], n % 10_000),
        media_type: Some("video/mp4".to_owned()),
        size_bytes: Some(500_000_000),
        claimed_sha256: None,
        unit_id,
        officer_id: None,
        officer_claimed: None,
        recorder_id: None,
        recorder_claimed: None,
        station_id: None,
        docking_id: None,
        device_path: None,
        recorded_at: Some(recorded_at),
        created_at: recorded_at,
        marks: if key { vec!["key".to_owned()] } else { vec![] },
        notes: notes(dice, n),
        tags: if dice.below(10) == 0 {
            vec!["抽查".to_owned()]
        } else {
            vec![]
        },
        created_by: ActorRef::new(ActorKind::System, "bench"),
    }
}

/// Single committed recordings on top, as in operation: the index then has young, unmerged parts.
async fn churn(catalog: &Catalog, tree: &Tree, count: u64) -> AnyResult<()> {
    let mut dice = Dice(0x2545_F491_4F6C_DD1D);
    let started = Instant::now();
    let mut worst = Duration::ZERO;
    for n in 0..count {
        let district = tree.districts[dice.below(DISTRICTS) as usize];
        let id = RecordingId::fresh(&SystemClock, &docket_base::OsRandom);
        let at = Micros(1_760_000_000_000_000).plus_seconds(n as i64);
        let each = Instant::now();
        let mut change = catalog.change().await?;
        change
            .insert_recording(&recording(&mut dice, n, district, at, id))
            .await?;
        change
            .commit(&[event(
                EventId::fresh(&SystemClock, &docket_base::OsRandom),
                Some(id),
            )])
            .await?;
        catalog.begin_sealing(id).await?;
        worst = worst.max(each.elapsed());
    }
    let mean = started.elapsed() / count.max(1) as u32;
    println!("create + begin sealing, each committed: mean {mean:?}, worst {worst:?}");
    Ok(())
}

fn questions() -> Vec<(&'static str, Filter)> {
    let text = |question: &str| Filter {
        text: Some(question.to_owned()),
        ..Filter::default()
    };
    let month = |filter: Filter| Filter {
        from: Some(Micros(1_720_000_000_000_000)),
        until: Some(Micros(1_722_592_000_000_000)),
        ..filter
    };
    vec![
        ("no filter", Filter::default()),
        ("one character: 李", text("李")),
        ("two characters: 诊所", text("诊所")),
        ("a name: 李伟", text("李伟")),
        ("in 40 % of rows: 检查", text("检查")),
        ("longer: 现场检查医疗废物", text("现场检查医疗废物")),
        ("rare: 麒麟", text("麒麟")),
        ("nowhere: 魑魅", text("魑魅")),
        ("common but apart: 所游", text("所 游泳 理发")),
        ("latin prefix: vid 2025", text("vid 2025")),
        ("latin prefix, one digit", text("0")),
        (
            "tag and mark",
            Filter {
                tags: vec!["抽查".to_owned()],
                marks: vec!["key".to_owned()],
                ..Filter::default()
            },
        ),
        (
            "state that is rare",
            Filter {
                states: vec![RecordingState::Sealing],
                ..Filter::default()
            },
        ),
        (
            "state that is nowhere",
            Filter {
                states: vec![RecordingState::Quarantined],
                ..Filter::default()
            },
        ),
        ("a month", month(Filter::default())),
        ("a month, 检查", month(text("检查"))),
        (
            "a month, 李伟, photo",
            month(Filter {
                kinds: vec![RecordingKind::Photo],
                ..text("李伟")
            }),
        ),
    ]
}

/// Processor time this process has used so far.
fn processor() -> Duration {
    let at = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(
        at.tv_sec.unsigned_abs(),
        u32::try_from(at.tv_nsec).unwrap_or(0),
    )
}

/// Times of pages, sorted: on the wall and of the processor.
struct Times {
    rows: usize,
    wall: Vec<Duration>,
    processor: Vec<Duration>,
}

impl Times {
    fn percentile(times: &[Duration], percent: usize) -> Duration {
        times[(times.len() * percent / 100).min(times.len() - 1)]
    }
}

async fn measure(
    catalog: &Catalog,
    filter: &Filter,
    scope: &Scope,
    limit: u32,
) -> AnyResult<Times> {
    let mut cursor = None;
    let mut times = Times {
        rows: 0,
        wall: Vec::new(),
        processor: Vec::new(),
    };
    for _ in 0..PAGES_PER_QUESTION {
        let (asked, used) = (Instant::now(), processor());
        let page = catalog
            .recordings(filter, scope, cursor.as_ref(), limit)
            .await?;
        times.wall.push(asked.elapsed());
        times.processor.push(processor().saturating_sub(used));
        times.rows += page.items.len();
        cursor = page.next; // starts over at the end
    }
    times.wall.sort();
    times.processor.sort();
    Ok(times)
}

async fn run() -> AnyResult<bool> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().map_or_else(
        || std::env::temp_dir().join("docket-million.sqlite"),
        PathBuf::from,
    );
    let count = arguments.next().map_or(Ok(1_000_000), |n| n.parse())?;
    let catalog = Catalog::open_sqlite(&path, &SystemClock).await?;
    let tree = tree(&catalog).await?;
    fill(&catalog, &tree, count).await?;
    churn(&catalog, &tree, 1_000).await?;
    println!("{} MB on disk", std::fs::metadata(&path)?.len() / 1_000_000);
    let scopes = [
        ("everything", Scope::Everything),
        ("province", Scope::subtree(tree.province)),
        ("city", Scope::subtree(tree.cities[1])),
        ("small unit", Scope::subtree(tree.districts[SMALL])),
        ("three units", Scope::Subtrees(tree.districts[..3].to_vec())),
    ];
    println!(
        "{:<28} {:<12} {:>6} | {:>8} {:>8} {:>8} | {:>8} {:>8} (processor)",
        "question", "scope", "rows", "p50 ms", "p99 ms", "max ms", "p50 ms", "p99 ms"
    );
    let mut good = true;
    for (name, filter) in questions() {
        for (scope_name, scope) in &scopes {
            let times = measure(&catalog, &filter, scope, 50).await?;
            let wall = |percent| Times::percentile(&times.wall, percent).as_secs_f64() * 1e3;
            let used = |percent| Times::percentile(&times.processor, percent).as_secs_f64() * 1e3;
            good &= Times::percentile(&times.wall, 99) <= BUDGET;
            println!(
                "{name:<28} {scope_name:<12} {:>6} | {:>8.2} {:>8.2} {:>8.2} | {:>8.2} {:>8.2}",
                times.rows,
                wall(50),
                wall(99),
                wall(100),
                used(50),
                used(99)
            );
        }
    }
    catalog.close().await;
    Ok(good)
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("a page took longer than {BUDGET:?}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
