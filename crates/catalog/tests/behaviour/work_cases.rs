//! Jobs and viewings.

use docket_base::Clock;
use docket_base::ids::{JobId, ViewingId};
use docket_catalog::{Error, JobState, ViewingPurpose};

use crate::fixture::Fixture;

pub async fn jobs_are_claimed_once(f: &Fixture) {
    let c = &f.catalog;
    let now = f.clock.now();
    let recording = f.create(&f.new_recording(f.district, "a.mp4")).await;
    let fresh = || JobId::fresh(&f.clock, &f.random);
    let (probe, poster) = (fresh(), fresh());
    let mut change = c.change().await.expect("change");
    change
        .enqueue(probe, "probe", recording, now)
        .await
        .expect("enqueue");
    f.commit(change, None).await;
    c.enqueue(poster, "poster", recording, now.plus_seconds(5))
        .await
        .expect("enqueue");
    c.enqueue(fresh(), "poster", recording, now)
        .await
        .expect("again changes nothing");
    assert_eq!(c.waiting_jobs().await.expect("count"), 2);
    let claim = async |kinds: &[&str], seconds: i64| {
        c.claim_job(kinds, now.plus_seconds(seconds))
            .await
            .expect("claim")
            .map(|job| (job.id, job.attempts))
    };
    assert_eq!(claim(&["other"], 9).await, None);
    assert_eq!(claim(&["probe", "poster"], 0).await, Some((probe, 1)));
    assert_eq!(
        claim(&["probe", "poster"], 0).await,
        None,
        "the other is not due"
    );
    c.fail_job(probe, "no luck", Some(now.plus_seconds(10)))
        .await
        .expect("fail");
    assert!(matches!(
        c.complete_job(probe).await,
        Err(Error::Stale { .. })
    ));
    assert_eq!(claim(&["probe"], 10).await, Some((probe, 2)));
    assert_eq!(
        c.release_jobs(now.plus_seconds(10)).await.expect("release"),
        0
    );
    assert_eq!(
        c.release_jobs(now.plus_seconds(11)).await.expect("release"),
        1,
        "its doer died"
    );
    assert_eq!(claim(&["probe"], 12).await, Some((probe, 3)));
    c.fail_job(probe, "given up", None).await.expect("fail");
    assert_eq!(claim(&["poster"], 12).await, Some((poster, 1)));
    c.complete_job(poster).await.expect("complete");
    let states: Vec<_> = c
        .jobs(recording)
        .await
        .expect("list")
        .into_iter()
        .map(|j| (j.kind, j.state))
        .collect();
    assert_eq!(
        states,
        [
            ("poster".to_owned(), JobState::Done),
            ("probe".to_owned(), JobState::Failed)
        ]
    );
    c.enqueue(fresh(), "poster", recording, now)
        .await
        .expect("anew");
    assert_eq!(claim(&["poster"], 12).await, Some((poster, 1)));
}

pub async fn a_viewing_opens_and_closes(f: &Fixture) {
    let c = &f.catalog;
    let recording = f.create(&f.new_recording(f.district, "a.mp4")).await;
    let (now, viewer) = (f.clock.now(), f.actor());
    let id = ViewingId::fresh(&f.clock, &f.random);
    let open = async || {
        c.open_viewing(recording, &viewer, ViewingPurpose::Play)
            .await
            .expect("find")
    };
    assert_eq!(open().await, None);
    let mut change = c.change().await.expect("change");
    change
        .open_viewing(id, recording, &viewer, ViewingPurpose::Play, now)
        .await
        .expect("open");
    f.commit(change, Some(recording)).await;
    let mut change = c.change().await.expect("change");
    let second = ViewingId::fresh(&f.clock, &f.random);
    let twice = change
        .open_viewing(second, recording, &viewer, ViewingPurpose::Play, now)
        .await;
    assert!(matches!(twice, Err(Error::Taken(_))));
    drop(change);
    for (from, until) in [
        (0, 4_000),
        (8_000, 12_000),
        (4_000, 8_000),
        (20_000, 24_000),
    ] {
        c.viewing_served(id, from, until, now.plus_seconds(7))
            .await
            .expect("served");
    }
    assert!(
        c.idle_viewings(now.plus_seconds(7), 10)
            .await
            .expect("idle")
            .is_empty()
    );
    let idle = c
        .idle_viewings(now.plus_seconds(8), 10)
        .await
        .expect("idle");
    assert_eq!(idle.iter().map(|v| v.id).collect::<Vec<_>>(), [id]);
    assert_eq!(open().await, Some(idle[0].clone()));
    let mut change = c.change().await.expect("change");
    let closed = change
        .close_viewing(id, now.plus_seconds(60))
        .await
        .expect("close");
    assert!(matches!(
        change.close_viewing(id, now).await,
        Err(Error::Stale { .. })
    ));
    f.commit(change, Some(recording)).await;
    assert_eq!(closed.stretches.as_slice(), [(0, 12_000), (20_000, 24_000)]);
    assert_eq!(open().await, None);
    assert!(matches!(
        c.viewing_served(id, 0, 1, now).await,
        Err(Error::Stale { .. })
    ));
}
