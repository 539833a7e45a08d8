//! Running it: the data directory's one owner, configuration, TLS, going down in order.

use std::process::Stdio;

use tokio::process::Command;

use crate::harness::api::id_of;
use crate::harness::programs::{built, run};
use crate::harness::{Api, Content, Daemon, until};

#[tokio::test]
async fn a_data_directory_has_one_owner() {
    let daemon = Daemon::start().await;
    let mut second = daemon.command("serve");
    second.env("DOCKET_LISTEN", "127.0.0.1:0");
    let said = run(second, "").await;
    assert!(said.status != Some(0) && said.status.is_some(), "{said:?}");
    assert!(!said.err.is_empty(), "it must say why");
    daemon
        .docketd(&["rebuild"], "")
        .await
        .status
        .filter(|code| *code != 0)
        .expect("refused while it runs");
    Api::anonymous(&daemon.url())
        .get("/readyz")
        .await
        .expect(200);
}

#[tokio::test]
async fn configuration_is_read_once_and_unknown_keys_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("docketd.toml");
    let config = |text: &'static str, variable: (&'static str, &'static str)| {
        std::fs::write(&file, text).expect("written");
        let mut command = Command::new(built("docketd"));
        command
            .args(["--config", file.to_str().expect("UTF-8"), "config"])
            .env(variable.0, variable.1);
        async move { run(command, "").await }
    };
    let good = config(
        "[ingest]\nexpiry_days = 3\n",
        ("DOCKET_INGEST__SM3", "true"),
    )
    .await
    .succeeded();
    assert!(
        good.out.contains("expiry_days = 3") && good.out.contains("sm3 = true"),
        "{}",
        good.out
    );
    for (text, variable) in [
        ("[ingest]\nexpiry = 3\n", ("DOCKET_INGEST__SM3", "true")),
        ("", ("DOCKET_INGEST__SM9", "true")),
    ] {
        let refused = config(text, variable).await;
        assert!(refused.status != Some(0), "{refused:?}");
    }
}

#[tokio::test]
async fn going_down_in_order_keeps_what_is_under_way() {
    let mut daemon = Daemon::start().await;
    let api = daemon.api().await;
    let content = Content::new(95, 3_000_000);
    let path = api.create(content.size_bytes, &[]).await;
    let (send, receive) = tokio::sync::mpsc::channel::<Result<bytes::Bytes, std::io::Error>>(1);
    let body = reqwest::Body::wrap_stream(tokio_stream::wrappers::ReceiverStream::new(receive));
    let under_way = api.patch_request(&path, 0, &[], body);
    let under_way =
        tokio::spawn(async move { under_way.send().await.map(|answer| answer.status()) });
    send.send(Ok(content.slice(0, 1_000_000)))
        .await
        .expect("taken");
    let told = until("some of it is told", || async {
        let recording = api.recording(&id_of(&path)).await;
        recording["received_bytes"].as_u64().filter(|n| *n > 0)
    })
    .await;
    // The client neither goes on nor goes away: the daemon must not wait for it.
    daemon.stop().await;
    drop(send);
    let _ = under_way.await;

    daemon.up().await;
    let head = api.head(&path).await.expect(200);
    let offset = head.offset().expect("an offset");
    assert!(offset >= told, "{told} was told, {offset} is left");
    api.patch(&path, offset, content.slice(offset, content.size_bytes))
        .await
        .expect(204);
    let sealed = api.await_state(&id_of(&path), "sealed").await;
    assert_eq!(sealed["sha256"], content.sha256());
    daemon.assert_sound().await;
}

#[tokio::test]
async fn with_a_certificate_it_speaks_tls_and_http_2() {
    let folder = tempfile::tempdir().expect("a folder");
    let (certificate, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    let mut openssl = Command::new("openssl");
    openssl
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
        ])
        .args([
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .stderr(Stdio::null());
    run(openssl, "").await.succeeded();
    let daemon = Daemon::start_with(&[
        ("TLS__CERTIFICATE", certificate.to_str().expect("UTF-8")),
        ("TLS__KEY", key.to_str().expect("UTF-8")),
    ])
    .await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let pem = std::fs::read(&certificate).expect("there");
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([reqwest::Certificate::from_pem(&pem).expect("a certificate")])
        .build()
        .expect("a client");
    let url = daemon.url().replace("http://", "https://");
    let answer = client
        .get(format!("{url}/readyz"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(answer.version(), reqwest::Version::HTTP_2);
    let plain = Api::anonymous(&daemon.url());
    let answer = plain.try_send(plain.request("GET", "/readyz")).await;
    assert!(
        answer.is_none_or(|answer| answer.status >= 400),
        "plain HTTP on a TLS port"
    );
}

#[tokio::test]
async fn the_console_and_the_state_of_health_are_served() {
    let daemon = Daemon::start().await;
    let nobody = Api::anonymous(&daemon.url());
    nobody.get("/healthz").await.expect(200);
    nobody.get("/readyz").await.expect(200);
    let page = nobody.get("/").await.expect(200);
    assert!(
        page.header("content-type")
            .is_some_and(|kind| kind.starts_with("text/html"))
    );
    assert!(page.header("content-security-policy").is_some());
    let metrics = nobody.get("/metrics").await.expect(200);
    assert!(metrics.text().contains("# TYPE"), "{}", metrics.text());
    let openapi = nobody.json("/openapi.json").await;
    assert!(
        openapi["openapi"]
            .as_str()
            .is_some_and(|version| version.starts_with("3.1"))
    );
}
