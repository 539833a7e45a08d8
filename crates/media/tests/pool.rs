//! Whatever a worker does, the pool goes on: one recording loses its answer and nothing else.

mod common;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use common::{H264_AAC, Store, a_worker, config, footage, id, pool, source};
use docket_playback::protocol::{Misbehaviour, Request};
use docket_playback::{BlockSource, Config, Error, Playback, ReasonCode, Source};

fn small() -> Config {
    Config {
        memory_limit_bytes: 64 << 20,
        request_timeout: Duration::from_secs(2),
        cpu_limit_seconds: 1,
        ..config()
    }
}

#[tokio::test]
async fn a_worker_that_fails_costs_one_recording_its_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = footage(folder.path(), "good.mp4", 2, H264_AAC);
    let pool = Playback::new(small()).expect("the worker is built");
    let cases = [
        (Misbehaviour::Crash, Some(ReasonCode::WorkerCrashed)),
        (Misbehaviour::Hang, Some(ReasonCode::WorkerTimedOut)),
        (Misbehaviour::Spin, Some(ReasonCode::WorkerTimedOut)),
        (Misbehaviour::Bloat, Some(ReasonCode::WorkerOutOfMemory)),
        (Misbehaviour::Babble, Some(ReasonCode::WorkerCrashed)),
        (Misbehaviour::Shout, None),
    ];
    for (how, expected) in cases {
        let answer = pool
            .ask(id(1), source(&good), Request::Misbehave(how))
            .await;
        let reason = answer.err().and_then(|error| error.reason());
        assert_eq!(reason.map(|reason| reason.code), expected, "{how:?}");
        let facts = pool
            .probe(id(1), source(&good))
            .await
            .expect("the next one answers");
        assert!(facts.verdict.is_playable(), "after {how:?}");
    }
}

#[tokio::test]
async fn a_spinning_worker_is_ended_by_its_cpu_limit() {
    let pool = Playback::new(Config {
        request_timeout: Duration::from_secs(60),
        ..small()
    })
    .expect("built");
    let nothing = || Source::descriptor(std::fs::File::open("/dev/null").expect("opens").into());
    let request = Request::Misbehave(Misbehaviour::Spin);
    let answer = pool
        .ask(id(1), nothing().expect("read-only"), request)
        .await;
    assert!(matches!(answer, Err(Error::CpuLimit)), "{answer:?}");
}

#[tokio::test]
async fn a_dropped_request_frees_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = footage(folder.path(), "good.mp4", 2, H264_AAC);
    let pool = Playback::new(Config {
        max_workers: 1,
        ..config()
    })
    .expect("built");
    for _ in 0..3 {
        let hang = pool.ask(id(1), source(&good), Request::Misbehave(Misbehaviour::Hang));
        assert!(
            tokio::time::timeout(Duration::from_millis(300), hang)
                .await
                .is_err()
        );
        pool.probe(id(1), source(&good))
            .await
            .expect("the only place is free again");
    }
}

#[tokio::test]
async fn many_recordings_share_few_workers_and_idle_ones_go() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = footage(folder.path(), "good.mp4", 2, H264_AAC);
    let idle_timeout = Duration::from_millis(400);
    let pool = Playback::new(Config {
        idle_timeout,
        ..config()
    })
    .expect("built");
    let all = (0..8).map(|number| {
        let (pool, source) = (pool.clone(), source(&good));
        tokio::spawn(async move {
            pool.prepare(id(number), source, 160)
                .await
                .map(|p| p.index.is_some())
        })
    });
    for task in all.collect::<Vec<_>>() {
        assert!(task.await.expect("no panic").expect("answers"));
        assert!(pool.idle_workers() <= 2);
    }
    tokio::time::timeout(Duration::from_secs(20), async {
        while pool.idle_workers() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("idle workers end");
}

#[tokio::test]
async fn shutdown_ends_what_runs_and_what_waits() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = footage(folder.path(), "good.mp4", 2, H264_AAC);
    let pool = Playback::new(Config {
        max_workers: 1,
        ..config()
    })
    .expect("built");
    let ask = |number| {
        let (pool, source) = (pool.clone(), source(&good));
        tokio::spawn(async move {
            pool.ask(id(number), source, Request::Misbehave(Misbehaviour::Hang))
                .await
        })
    };
    let (running, waiting) = (ask(1), ask(2));
    a_worker().await;
    pool.shutdown().await;
    for task in [running, waiting] {
        assert!(matches!(
            task.await.expect("no panic"),
            Err(Error::ShuttingDown)
        ));
    }
    assert!(matches!(
        pool.probe(id(3), source(&good)).await,
        Err(Error::ShuttingDown)
    ));
}

#[tokio::test]
async fn a_store_that_fails_is_no_fault_of_the_recording() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = footage(folder.path(), "good.mp4", 2, H264_AAC);
    let bytes = Store::of(&good).bytes.clone();
    let away = Store {
        bytes,
        asked_bytes: 0.into(),
        requests: 0.into(),
        fails: true,
    };
    let pool = pool();
    let answer = pool
        .prepare(id(1), Source::blocks(Arc::new(away)), 320)
        .await;
    assert!(matches!(answer, Err(Error::Source(_))), "{answer:?}");
    let back = Store::of(&good);
    let prepared = pool
        .prepare(id(1), Source::blocks(back.clone()), 320)
        .await
        .expect("answers");
    assert!(prepared.index.is_some() && prepared.poster.is_some());
    // Three requests over one open worker fetch no block twice.
    assert!(back.asked_bytes.load(Ordering::SeqCst) <= back.size_bytes());
}

#[tokio::test]
async fn a_missing_worker_and_a_writable_descriptor_are_refused() {
    let worker = Some("/nowhere/docket-media".into());
    assert!(matches!(
        Playback::new(Config { worker, ..config() }),
        Err(Error::WorkerMissing(_))
    ));
    let file = tempfile::tempfile().expect("a file");
    assert!(Source::descriptor(file.into()).is_err());
}

#[tokio::test]
async fn workers_get_neither_environment_nor_descriptors() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = footage(folder.path(), "good.mp4", 2, H264_AAC);
    let pool = pool();
    let hang = pool.ask(id(1), source(&good), Request::Misbehave(Misbehaviour::Hang));
    let look = async {
        let worker = a_worker().await;
        let descriptors = std::fs::read_dir(format!("/proc/{worker}/fd")).map(Iterator::count);
        (
            std::fs::read(format!("/proc/{worker}/environ")).ok(),
            descriptors.ok(),
        )
    };
    tokio::select! {
        // Whoever may not look (a worker isn't dumpable) sees nothing; whoever may, three descriptors.
        (environment, descriptors) = look => {
            assert!(environment.unwrap_or_default().is_empty());
            assert_eq!(descriptors.unwrap_or(3), 3);
        }
        answer = hang => panic!("{answer:?}"),
    }
}

#[tokio::test]
async fn a_worker_killed_in_the_middle_is_an_error_of_its_request() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = footage(folder.path(), "good.mp4", 2, H264_AAC);
    let pool = pool();
    let (killed, same) = (pool.clone(), source(&good));
    let request = Request::Misbehave(Misbehaviour::Hang);
    let hang = tokio::spawn(async move { killed.ask(id(1), same, request).await });
    let worker = rustix::process::Pid::from_raw(a_worker().await as i32).expect("a process");
    rustix::process::kill_process(worker, rustix::process::Signal::KILL).expect("our own child");
    assert!(matches!(
        hang.await.expect("no panic"),
        Err(Error::Crashed(_))
    ));
    pool.probe(id(1), source(&good))
        .await
        .expect("the next one answers");
}
