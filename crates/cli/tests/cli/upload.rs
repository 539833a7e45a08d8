//! Against a small tus server that lives here: what is sent, and what a receipt is worth.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use docket_base::OsRandom;
use docket_base::ids::RecordingId;
use docket_ledger::LedgerKey;

use crate::desk::{Desk, docket, receipt, result};

/// How the server behaves.
#[derive(Clone, Copy, PartialEq)]
enum Server {
    Honest,
    /// Its receipt is about other bytes.
    Swapping,
    /// Its receipt is of another recording.
    Confused,
}

#[derive(Default)]
struct Seen {
    heads: Vec<String>,
    body: Vec<u8>,
}

fn serve(key: LedgerKey, behaviour: Server) -> (String, Arc<Mutex<Seen>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Seen::default()));
    let shared = Arc::clone(&seen);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (key, shared) = (key.clone(), Arc::clone(&shared));
            std::thread::spawn(move || answer(stream.unwrap(), &key, behaviour, &shared));
        }
    });
    (address, seen)
}

fn answer(mut stream: TcpStream, key: &LedgerKey, behaviour: Server, seen: &Mutex<Seen>) {
    let id = RecordingId::from_bytes([6; 16]);
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
            head.push_str(&line);
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let mut seen = seen.lock().unwrap();
        seen.heads.push(head.clone());
        let reply = if head.starts_with("POST /files/ ") {
            format!("HTTP/1.1 201 Created\r\nTus-Resumable: 1.0.0\r\nLocation: /files/{id}\r\nContent-Length: 0\r\n\r\n").into_bytes()
        } else if head.starts_with("PATCH ") {
            seen.body.extend_from_slice(&body);
            format!(
                "HTTP/1.1 204 No Content\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: {}\r\n\r\n",
                seen.body.len()
            )
            .into_bytes()
        } else {
            let other = RecordingId::from_bytes([7; 16]);
            let made = match behaviour {
                Server::Honest => receipt(key, id, &seen.body, false),
                Server::Swapping => receipt(key, id, b"other bytes", false),
                Server::Confused => receipt(key, other, &seen.body, false),
            };
            let bytes = made.to_bytes().unwrap();
            let mut reply = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                bytes.len()
            )
            .into_bytes();
            reply.extend_from_slice(&bytes);
            reply
        };
        stream.write_all(&reply).unwrap();
    }
}

fn upload(desk: &Desk, server: &str, more: &[&str]) -> (i32, String) {
    desk.put("token", b"dk_secret\n");
    let mut command = docket("C.UTF-8");
    command
        .args(["upload", "--server", server, "--token-file"])
        .arg(desk.path("token"));
    command.args(more).arg(desk.path("original.mp4"));
    result(command.output().unwrap())
}

#[test]
fn a_file_arrives_with_its_facts_and_its_receipt_is_kept() {
    let desk = Desk::new(false);
    let content: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
    desk.put("original.mp4", &content);
    let (server, seen) = serve(desk.key.clone(), Server::Honest);
    let key = desk.path("key").display().to_string();
    let folder = desk.folder.path().display().to_string();
    let more = [
        "--case",
        "贵卫医罚〔2026〕12号",
        "--kind",
        "video",
        "--key",
        &key,
        "--receipts",
        &folder,
    ];
    let (code, text) = upload(&desk, &server, &more);
    assert!(code == 0 && text.contains("(proven)"), "{text}");
    let seen = seen.lock().unwrap();
    assert!(seen.body == content, "other bytes arrived");
    let create = &seen.heads[0].to_ascii_lowercase();
    assert!(
        create.contains("authorization: bearer dk_secret"),
        "{create}"
    );
    assert!(
        create.contains("upload-length: 3000000")
            && create.contains("filename ")
            && create.contains("case "),
        "{create}"
    );
    // What was kept is a receipt that `docket verify` takes.
    let kept = desk.path(&format!(
        "{}.receipt.json",
        RecordingId::from_bytes([6; 16])
    ));
    std::fs::rename(kept, desk.path("receipt.json")).unwrap();
    assert_eq!(desk.verify(Some("key"), "C").0, 0);
}

#[test]
fn receipts_that_do_not_fit_are_failures() {
    let desk = Desk::new(false);
    let key = desk.path("key").display().to_string();
    let other = LedgerKey::generate("docket.example/county", &OsRandom).unwrap();
    for (signer, behaviour, words) in [
        (&desk.key, Server::Swapping, "other bytes than were sent"),
        (&desk.key, Server::Confused, "another receipt"),
        (&other, Server::Honest, "another key"),
    ] {
        let (server, _) = serve(signer.clone(), behaviour);
        let (code, text) = upload(&desk, &server, &["--key", &key]);
        assert!(code == 1 && text.contains(words), "{text}");
    }
    let (server, _) = serve(other, Server::Honest);
    let (code, text) = upload(&desk, &server, &[]);
    assert!(code == 0 && text.contains("no --key given"), "{text}");
}

#[test]
fn a_token_is_not_sent_in_the_clear_to_another_machine() {
    let desk = Desk::new(false);
    let (code, text) = upload(&desk, "http://192.0.2.1:8600", &[]);
    assert!(code == 7 && text.contains("plain HTTP"), "{text}");
}
