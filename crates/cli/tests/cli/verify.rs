use std::path::Path;
use std::process::{Command, Stdio};

use docket_base::{OsRandom, Sha256Digest};
use docket_ledger::LedgerKey;

use crate::desk::{Desk, ORIGINAL, docket, result};

#[test]
fn proven_with_the_key_in_both_languages() {
    for with_sm3 in [false, true] {
        let desk = Desk::new(with_sm3);
        let (code, text) = desk.verify(Some("key"), "C.UTF-8");
        assert_eq!(code, 0, "{text}");
        for part in [
            "PROVEN: ",
            "docket.example/county",
            "2023-11-14T22:20:00.000000Z",
            "What is not proven",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_eq!(text.contains("SM3"), with_sm3);
        assert!(!text.contains('\u{1b}'), "the receipt scripts the terminal");
        let (code, text) = desk.verify(Some("key"), "zh_CN.UTF-8");
        assert_eq!(code, 0, "{text}");
        assert!(
            text.contains("已证明") && text.contains("未证明的内容"),
            "{text}"
        );
    }
}

#[test]
fn without_a_key_it_is_consistent_and_not_proven() {
    let desk = Desk::new(true);
    let (code, text) = desk.verify(None, "en_GB");
    assert_eq!(code, 3, "{text}");
    let words = format!(
        "consistent with key {}, which you have not pinned",
        desk.key.verifier()
    );
    assert!(text.contains(&words), "{text}");
    let (code, text) = desk.verify(None, "zh_CN.UTF-8");
    assert!(code == 3 && text.starts_with("未证明"), "{text}");
}

#[test]
fn another_file_is_told_by_length_and_by_digest() {
    let desk = Desk::new(false);
    let mut changed = ORIGINAL.to_vec();
    changed[7] ^= 1;
    desk.put("original.mp4", &changed);
    let (code, text) = desk.verify(Some("key"), "C");
    assert_eq!(code, 4);
    assert!(
        text.contains(&Sha256Digest::of(&changed).to_string()),
        "{text}"
    );
    assert_eq!(desk.verify(None, "C").0, 4);
    desk.put("original.mp4", b"");
    let (code, text) = desk.verify(Some("key"), "C");
    assert!(code == 4 && text.contains("this one has 0"), "{text}");
}

#[test]
fn damaged_and_forged_receipts_are_worthless() {
    let desk = Desk::new(false);
    let good = std::fs::read(desk.path("receipt.json")).unwrap();
    for at in (0..good.len()).step_by(97) {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        desk.put("receipt.json", &bytes);
        // A flip within the key's own text may leave a valid key, of somebody else.
        let (code, text) = desk.verify(Some("key"), "C");
        assert!(code == 5 || code == 6, "byte {at}: {code} {text}");
    }
    for bytes in [b"".as_slice(), b"{}", b"\xff\xfe", &vec![b'['; 400_000]] {
        desk.put("receipt.json", bytes);
        assert_eq!(desk.verify(Some("key"), "C").0, 5);
        assert_eq!(desk.verify(None, "zh_CN").0, 5);
    }
}

#[test]
fn a_receipt_by_another_key_is_told_before_the_original_is_read() {
    let desk = Desk::new(false);
    let other = LedgerKey::generate("docket.example/county", &OsRandom).unwrap();
    desk.put("other", other.verifier().to_string().as_bytes());
    std::fs::remove_file(desk.path("original.mp4")).unwrap();
    let (code, text) = desk.verify(Some("other"), "C");
    assert!(
        code == 6 && text.contains(&other.verifier().fingerprint()),
        "{text}"
    );
}

#[test]
fn what_cannot_be_read_has_its_own_code() {
    let desk = Desk::new(false);
    desk.put("nonsense", b"nonsense");
    desk.put("private", desk.key.to_private_text().as_bytes());
    assert_eq!(desk.verify(Some("missing"), "C").0, 7);
    assert_eq!(desk.verify(Some("nonsense"), "C").0, 7);
    let (code, text) = desk.verify(Some("private"), "C");
    assert!(code == 7 && text.contains("PRIVATE key"), "{text}");
    assert!(!text.contains(desk.key.to_private_text().as_str()));
    std::fs::remove_file(desk.path("original.mp4")).unwrap();
    assert_eq!(desk.verify(Some("key"), "C").0, 7);
    std::fs::create_dir(desk.path("original.mp4")).unwrap();
    assert_eq!(desk.verify(Some("key"), "C").0, 7);
    std::fs::remove_file(desk.path("receipt.json")).unwrap();
    assert_eq!(desk.verify(Some("key"), "C").0, 7);
}

#[test]
fn usage_and_fingerprint() {
    assert_eq!(result(docket("C").arg("verify").output().unwrap()).0, 2);
    let (code, help) = result(docket("C").args(["verify", "--help"]).output().unwrap());
    assert!(code == 0 && help.contains("Exit codes"), "{help}");
    let desk = Desk::new(false);
    let key: &Path = &desk.path("key");
    let (code, text) = result(
        docket("C")
            .args(["key", "fingerprint"])
            .arg(key)
            .output()
            .unwrap(),
    );
    assert_eq!(code, 0);
    assert_eq!(
        text,
        format!(
            "docket.example/county\n{}\n",
            desk.key.verifier().fingerprint()
        )
    );
}

#[test]
fn memory_does_not_grow_with_the_file() {
    let desk = Desk::new(false);
    // Longer by 400 MiB of zeros (sparse): as a pipe, so that the length does not end it early.
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(desk.path("original.mp4"))
        .unwrap();
    file.set_len(400 << 20).unwrap();
    let mut cat = Command::new("cat")
        .arg(desk.path("original.mp4"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let script = "ulimit -v 200000; exec \"$0\" verify \"$1\" /dev/stdin";
    let output = Command::new("bash")
        .args(["-c", script, env!("CARGO_BIN_EXE_docket")])
        .arg(desk.path("receipt.json"))
        .stdin(cat.stdout.take().unwrap())
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    assert!(cat.wait().unwrap().success());
    let (code, text) = result(output);
    assert!(
        code == 4 && text.contains(&(400u64 << 20).to_string()),
        "{text}"
    );
}

/// An outsider's check shares no line with ours: Python's standard library and openssl.
#[test]
fn outsiders_can_verify_without_docket() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/verify_by_hand.py");
    let openssl = Command::new("openssl").arg("version").output();
    let python = Command::new("python3").arg("--version").output();
    let version = openssl.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    if python.is_err() || !version.is_ok_and(|text| text.starts_with("OpenSSL 3")) {
        println!("SKIPPED: needs python3 and openssl 3");
        return;
    }
    for with_sm3 in [false, true] {
        let desk = Desk::new(with_sm3);
        let by_hand = |original: &str| {
            let mut command = Command::new("python3");
            command.arg(&script).env("PYTHONUTF8", "1");
            for file in ["receipt.json", original, "key"] {
                command.arg(desk.path(file));
            }
            result(command.output().unwrap())
        };
        let (code, text) = by_hand("original.mp4");
        assert!(
            code == 0 && text.starts_with("proven: recording.sealed"),
            "{text}"
        );
        desk.put("other.mp4", b"other bytes");
        assert_eq!(by_hand("other.mp4").0, 1);
        let receipt = std::fs::read_to_string(desk.path("receipt.json")).unwrap();
        desk.put(
            "receipt.json",
            receipt.replace("\"stored\"", "\"verified\"").as_bytes(),
        );
        assert_eq!(by_hand("original.mp4").0, 1);
    }
}
