//! Users, sessions, tokens, throttles, idempotency keys.

use docket_base::ids::{TokenId, UserId};
use docket_base::{Clock, Sha256Digest};
use docket_catalog::{Error, Idempotency, Role, Scope, Session, ThrottleRule, Token, User};

use crate::fixture::Fixture;

fn user(f: &Fixture, name: &str) -> User {
    User {
        id: UserId::fresh(&f.clock, &f.random),
        name: name.to_owned(),
        password_hash: "$argon2id$x".to_owned(),
        role: Role::Supervisor,
        unit_id: f.city,
        disabled: false,
        failed_count: 0,
        locked_until: None,
        version: 1,
        created_at: f.clock.now(),
    }
}

async fn add_user(f: &Fixture, user: &User) {
    let mut change = f.catalog.change().await.expect("change");
    change.add_user(user).await.expect("add");
    f.commit(change, None).await;
}

pub async fn users_are_unique_by_folded_name(f: &Fixture) {
    let c = &f.catalog;
    let li = user(f, "Li Wei");
    add_user(f, &li).await;
    let mut change = c.change().await.expect("change");
    assert!(matches!(
        change.add_user(&user(f, "ｌｉ ＷＥＩ ")).await,
        Err(Error::Taken(_))
    ));
    drop(change);
    let mut change = c.change().await.expect("change");
    assert!(matches!(
        change.add_user(&user(f, "  ")).await,
        Err(Error::Refused(_))
    ));
    drop(change);
    assert_eq!(
        c.user_by_name("LI WEI").await.expect("find"),
        Some(li.clone())
    );
    assert_eq!(c.user_by_name("Li").await.expect("find"), None);
    let mut change = c.change().await.expect("change");
    let disabled = change
        .update_user(&User {
            disabled: true,
            ..li.clone()
        })
        .await
        .expect("update");
    assert_eq!((disabled.version, disabled.disabled), (2, true));
    assert!(matches!(
        change.update_user(&li).await,
        Err(Error::Stale { .. })
    ));
    f.commit(change, None).await;
    let found = c.user(li.id).await.expect("find").expect("exists");
    assert_eq!((found.row, found.unit_name.as_str()), (disabled, "贵阳市"));
    assert_eq!(
        c.users(&Scope::subtree(f.city), None, 10)
            .await
            .expect("page")
            .items
            .len(),
        1
    );
    assert!(
        c.users(&Scope::subtree(f.district), None, 10)
            .await
            .expect("page")
            .items
            .is_empty()
    );
}

pub async fn wrong_passwords_lock(f: &Fixture) {
    let c = &f.catalog;
    let li = user(f, "li");
    add_user(f, &li).await;
    let until = f.clock.now().plus_seconds(60);
    for n in 1..=2 {
        assert_eq!(c.password_failed(li.id, 3, until).await.expect("count"), n);
    }
    assert_eq!(
        c.user_by_name("li")
            .await
            .expect("find")
            .and_then(|u| u.locked_until),
        None
    );
    assert_eq!(c.password_failed(li.id, 3, until).await.expect("count"), 3);
    assert_eq!(
        c.user_by_name("li")
            .await
            .expect("find")
            .and_then(|u| u.locked_until),
        Some(until)
    );
    c.password_succeeded(li.id).await.expect("forgive");
    assert_eq!(c.user_by_name("li").await.expect("find"), Some(li));
}

pub async fn playback_tokens_end(f: &Fixture) {
    let c = &f.catalog;
    let now = f.clock.now();
    let token = docket_catalog::PlaybackToken {
        secret_sha256: Sha256Digest::of(b"secret"),
        recording_id: docket_base::ids::RecordingId::fresh(&f.clock, &f.random),
        holder_kind: docket_catalog::ActorKind::User,
        holder_id: "li".to_owned(),
        expires_at: now.plus_seconds(10),
    };
    c.add_playback_token(&token).await.expect("add");
    let at = async |seconds| {
        let at = now.plus_seconds(seconds);
        c.playback_token(token.secret_sha256, at)
            .await
            .expect("load")
    };
    assert_eq!(at(9).await, Some(token.clone()));
    assert_eq!(at(10).await, None);
    c.sweep_access(now.plus_seconds(10), now, now)
        .await
        .expect("sweep");
    assert_eq!(at(0).await, None);
}

pub async fn sessions_end(f: &Fixture) {
    let c = &f.catalog;
    let li = user(f, "li");
    add_user(f, &li).await;
    let now = f.clock.now();
    let session = |secret: &[u8]| Session {
        id_sha256: Sha256Digest::of(secret),
        csrf_sha256: Sha256Digest::of(b"csrf"),
        user_id: li.id,
        created_at: now,
        expires_at: now.plus_seconds(10),
    };
    let (one, two) = (session(b"1"), session(b"2"));
    c.add_session(&one).await.expect("add");
    c.add_session(&two).await.expect("add");
    assert_eq!(
        c.session(one.id_sha256, now).await.expect("load"),
        Some(one.clone())
    );
    assert_eq!(
        c.session(one.id_sha256, now.plus_seconds(10))
            .await
            .expect("load"),
        None
    );
    c.extend_session(one.id_sha256, now.plus_seconds(20))
        .await
        .expect("extend");
    c.sweep_access(now.plus_seconds(10), now, now)
        .await
        .expect("sweep");
    assert!(c.session(one.id_sha256, now).await.expect("load").is_some());
    assert_eq!(c.session(two.id_sha256, now).await.expect("load"), None);
    c.add_session(&two).await.expect("add");
    c.end_session(one.id_sha256).await.expect("end");
    assert_eq!(c.session(one.id_sha256, now).await.expect("load"), None);
    let mut change = c.change().await.expect("change");
    change.set_password(li.id, "$new").await.expect("password");
    f.commit(change, None).await;
    assert_eq!(
        c.session(two.id_sha256, now).await.expect("load"),
        None,
        "a new password ends sessions"
    );
}

pub async fn tokens_are_taken_back(f: &Fixture) {
    let c = &f.catalog;
    let now = f.clock.now();
    let token = Token {
        id: TokenId::fresh(&f.clock, &f.random),
        name: "case system".to_owned(),
        secret_sha256: Sha256Digest::of(b"secret"),
        scopes: "read,link".to_owned(),
        unit_id: f.district,
        station_id: None,
        created_at: now,
        revoked_at: None,
        last_used_at: None,
    };
    let mut change = c.change().await.expect("change");
    change.add_token(&token).await.expect("add");
    f.commit(change, None).await;
    c.token_used(&token, now).await.expect("used");
    let stored = c
        .token_by_secret(token.secret_sha256)
        .await
        .expect("find")
        .expect("exists");
    assert_eq!(stored.last_used_at, Some(now));
    c.token_used(&stored, now.plus_seconds(59))
        .await
        .expect("used");
    c.token_used(&stored, now.plus_seconds(60))
        .await
        .expect("used");
    let stored = c
        .token_by_secret(token.secret_sha256)
        .await
        .expect("find")
        .expect("exists");
    assert_eq!(stored.last_used_at, Some(now.plus_seconds(60)));
    let mut change = c.change().await.expect("change");
    change.revoke_token(token.id, now).await.expect("revoke");
    assert!(matches!(
        change.revoke_token(token.id, now).await,
        Err(Error::Stale { .. })
    ));
    f.commit(change, None).await;
    assert_eq!(
        c.token_by_secret(token.secret_sha256).await.expect("find"),
        None
    );
    assert_eq!(
        c.tokens(&Scope::subtree(f.city), None, 10)
            .await
            .expect("page")
            .items
            .len(),
        1
    );
}

pub async fn guesses_are_throttled(f: &Fixture) {
    let c = &f.catalog;
    let rule = ThrottleRule {
        window_seconds: 60,
        limit: 3,
        block_seconds: 30,
    };
    let now = f.clock.now();
    let fail = async |key: &str, seconds: i64| {
        c.sign_in_failed(key, now.plus_seconds(seconds), &rule)
            .await
            .expect("fail")
    };
    assert_eq!((fail("a", 0).await, fail("a", 1).await), (None, None));
    assert_eq!(fail("a", 2).await, Some(now.plus_seconds(32)));
    assert_eq!(
        c.sign_in_blocked("a", now.plus_seconds(31))
            .await
            .expect("blocked"),
        Some(now.plus_seconds(32))
    );
    assert_eq!(
        c.sign_in_blocked("a", now.plus_seconds(32))
            .await
            .expect("blocked"),
        None
    );
    assert_eq!(c.sign_in_blocked("b", now).await.expect("blocked"), None);
    assert_eq!(fail("a", 100).await, None, "the window is over");
    for seconds in 0..5 {
        c.sign_in_succeeded("b").await.expect("forget");
        assert_eq!(fail("b", seconds).await, None);
    }
    c.sweep_access(now.plus_seconds(500), now.plus_seconds(500), now)
        .await
        .expect("sweep");
    assert_eq!(fail("a", 101).await, None);
}

pub async fn requests_are_answered_once(f: &Fixture) {
    let c = &f.catalog;
    let now = f.clock.now();
    let (one, two) = (Sha256Digest::of(b"1"), Sha256Digest::of(b"2"));
    let begin = async |request, seconds: i64| {
        c.begin_request(
            "u",
            "k",
            request,
            (now.plus_seconds(seconds), now.plus_seconds(seconds - 60)),
        )
        .await
        .expect("begin")
    };
    assert_eq!(begin(one, 0).await, Idempotency::First);
    assert_eq!(begin(one, 1).await, Idempotency::Busy);
    assert_eq!(begin(two, 1).await, Idempotency::Different);
    assert_eq!(begin(one, 61).await, Idempotency::First, "its daemon died");
    c.forget_request("u", "k").await.expect("forget");
    assert_eq!(begin(two, 62).await, Idempotency::First);
    c.answer_request("u", "k", 201, b"body")
        .await
        .expect("answer");
    assert!(matches!(
        c.answer_request("u", "k", 200, b"").await,
        Err(Error::Stale { .. })
    ));
    assert_eq!(
        begin(two, 500).await,
        Idempotency::Again {
            status: 201,
            response: b"body".to_vec()
        }
    );
    assert_eq!(begin(one, 500).await, Idempotency::Different);
    c.forget_request("u", "k")
        .await
        .expect("an answer is not forgotten");
    assert!(matches!(begin(two, 501).await, Idempotency::Again { .. }));
    c.sweep_access(now, now, now.plus_seconds(1_000))
        .await
        .expect("sweep");
    assert_eq!(begin(one, 502).await, Idempotency::First);
}
