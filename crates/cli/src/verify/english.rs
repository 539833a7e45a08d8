//! The verdict in plain English.

use std::fmt::Write as _;

use docket_ledger::Event;
use docket_ledger::kinds::SealedState;
use docket_ledger::receipt::{Proof, ReceiptBody, ReceiptLevel};

use super::Finding;

pub fn report(finding: &Finding, file: &str) -> String {
    match finding {
        Finding::Proven(found) => proven(&found.0, &found.1, file),
        Finding::Unpinned(found) => unpinned(&found.0, &found.1, file),
        Finding::Length {
            receipt_bytes,
            original_bytes,
        } => format!(
            "NOT THE SAME: {file} is not the recording of this receipt.\n\
             The receipt is about a file of {receipt_bytes} bytes, this one has {original_bytes}."
        ),
        Finding::Sha256 { receipt, original } => format!(
            "NOT THE SAME: {file} is not the recording of this receipt.\n\
             SHA-256 by the receipt: {receipt}\n\
             SHA-256 of the file:    {original}\n\
             At least one byte differs. The receipt itself is good."
        ),
        Finding::Sm3 { receipt, original } => format!(
            "NOT THE SAME: {file} is not the recording of this receipt.\n\
             SM3 by the receipt: {receipt}\n\
             SM3 of the file:    {}",
            original.map_or_else(|| "not computed".to_owned(), |sm3| sm3.to_string())
        ),
        Finding::WrongKey { found, pinned } => format!(
            "WRONG KEY: the receipt is not signed by the key you gave. It proves nothing to you.\n\
             Key you gave:       {} ({})\n\
             Key in the receipt: {} ({})",
            pinned.name(),
            pinned.fingerprint(),
            found.name(),
            found.fingerprint()
        ),
        Finding::Bad(bad) => format!(
            "WORTHLESS RECEIPT: {bad}.\n\
             It was damaged or forged, or is no receipt. It proves nothing about {file}."
        ),
    }
}

fn proven(body: &ReceiptBody, proof: &Proof, file: &str) -> String {
    let mut out = format!(
        "PROVEN: {file} is, byte for byte, recording {}.\n\n\
         By whom: the ledger {}, whose key you gave (fingerprint {}).\n\nWhat is proven:\n",
        body.recording,
        body.origin,
        proof.key.fingerprint()
    );
    claims(&mut out, body, proof);
    limits(&mut out);
    out
}

fn unpinned(body: &ReceiptBody, proof: &Proof, file: &str) -> String {
    let mut out = format!(
        "NOT PROVEN: {file} and this receipt are consistent with key {}, which you have not pinned.\n\
         Its fingerprint: {}\n\
         Anyone can make such a receipt with a key of their own. Ask the agency for the key of its ledger\n\
         on another way than the receipt came, and run again with --key FILE.\n\n\
         What it would prove if that key is the agency's:\n",
        proof.key,
        proof.key.fingerprint()
    );
    claims(&mut out, body, proof);
    limits(&mut out);
    out
}

fn claims(out: &mut String, body: &ReceiptBody, proof: &Proof) {
    let mut line = |text: String| {
        let _ = writeln!(out, "  - {text}");
    };
    line(format!(
        "The ledger received exactly these {} bytes, SHA-256 {}{}.",
        body.size_bytes,
        body.sha256,
        body.sm3
            .map_or_else(String::new, |sm3| format!(", SM3 {sm3}"))
    ));
    match body.state {
        SealedState::Sealed => line("The recording is complete.".to_owned()),
        SealedState::Incomplete => line(
            "The recording is INCOMPLETE: the upload ended early, and these are the bytes that came."
                .to_owned(),
        ),
        SealedState::Quarantined => line(
            "The recording is in QUARANTINE: what came is not what its sender announced.".to_owned(),
        ),
    }
    match (&proof.entry.event, body.level) {
        (_, ReceiptLevel::Verified) => line(format!(
            "At {} the stored copy was read back from the vault and was the same.",
            proof.entry.at
        )),
        (Event::RecordingSealed(sealed), _) => {
            line(format!(
                "It was sealed at {}, and its upload began at {}.",
                proof.entry.at, sealed.created_at
            ));
            if let Some(at) = sealed.recorded_at {
                line(format!(
                    "The recorder's own clock said {at}; nobody vouches for that clock."
                ));
            }
            line(
                "The stored copy had not been read back yet: that is what a receipt of level \"verified\" adds."
                    .to_owned(),
            );
        }
        _ => {}
    }
    line(format!(
        "This stands as entry {} in the ledger of {} entries with root {}; it cannot be taken out or changed\n    without that root changing.",
        body.leaf_index, proof.head.size, proof.head.root
    ));
    line(format!("It was stored as {}.", body.vault_key));
    let clock = match (body.clock.synchronised, body.clock.max_error_us) {
        (Some(true), Some(error)) => {
            format!("synchronised, by its own account at most {error} microseconds off")
        }
        (Some(true), None) => "synchronised by its own account".to_owned(),
        (Some(false), _) => "NOT synchronised by its own account".to_owned(),
        (None, _) => "of unknown discipline".to_owned(),
    };
    line(format!(
        "The receipt was issued at {}. All times are UTC by the daemon's clock, which was {clock}.",
        body.issued_at
    ));
}

fn limits(out: &mut String) {
    out.push_str(
        "\nWhat is not proven:\n\
         \x20 - What happened before the bytes arrived: who recorded, when, and whether anything was cut or changed.\n\
         \x20 - The times against an independent clock: this receipt carries no time stamp of an authority.\n\
         \x20 - That the ledger shows everybody the same entries: this receipt carries no witness's signature.\n\
         \x20 - That the vault's copy is still unchanged today.",
    );
}
