//! Names as nobody wants them.

use crate::harness::{Content, Daemon};

/// The big list of naughty strings where it is at hand, and some that it lacks.
fn hostile() -> Vec<String> {
    let own = [
        "../../../../etc/passwd",
        "..\\..\\windows\\system32",
        "/dev/null",
        "a\u{202e}4pm.exe",
        "\r\nSet-Cookie: a=b",
        "\"; filename=\"x.html",
        "贵卫医罚〔2026〕12号/第1段.mp4",
        "e\u{301} é",
        "\u{1}\u{7f}\u{85}",
        "%00%2e%2e%2f",
        " ",
    ];
    let mut names: Vec<String> = own.map(str::to_owned).to_vec();
    let folder = std::env::var_os("DOCKET_CASES").map_or_else(
        || crate::harness::programs::checkout("../shared/cases"),
        Into::into,
    );
    match std::fs::read(folder.join("naming/blns/blns.json")) {
        Ok(bytes) => names.extend(serde_json::from_slice::<Vec<String>>(&bytes).expect("strings")),
        Err(_) => println!("skipped: the big list of naughty strings is not at hand"),
    }
    names.retain(|name| !name.contains('\0'));
    names
}

#[tokio::test]
async fn hostile_names_come_back_exactly_and_touch_no_path() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    for (seed, name) in hostile().into_iter().enumerate() {
        let id = api
            .upload(
                Content::new(9000 + seed as u64, 8),
                &[("filename", &name), ("note", &name)],
            )
            .await;
        let recording = api.recording(&id).await;
        assert_eq!(recording["file_name"], name.as_str());
        if seed % 25 == 0 {
            api.await_state(&id, "sealed").await;
            let original = api
                .get(&format!("/v1/recordings/{id}/original"))
                .await
                .expect(200);
            let disposition = original
                .header("content-disposition")
                .unwrap_or("attachment");
            assert!(
                disposition.is_ascii() && !disposition.contains(['\r', '\n']),
                "{disposition:?}"
            );
        }
    }
    daemon.assert_sound().await;
    let found = std::process::Command::new("find")
        .arg(daemon.data().join("vault"))
        .output()
        .expect("find runs");
    let known = [
        "original",
        "meta.json",
        "receipt-stored.json",
        "receipt-verified.json",
        "same-as",
    ];
    let root = daemon.data().join("vault/originals");
    for path in String::from_utf8(found.stdout)
        .expect("only our own names")
        .lines()
    {
        if let Some(rest) = path.strip_prefix(root.to_str().expect("UTF-8")) {
            let name = rest.rsplit('/').next().expect("a name");
            let ours = known.contains(&name)
                || name.is_empty()
                || name
                    .bytes()
                    .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
            assert!(ours, "{path}");
        }
    }
}
