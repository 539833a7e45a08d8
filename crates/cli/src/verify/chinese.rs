//! 用中文说明核验结果。

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
            "不一致：{file} 不是该回执所指的音像记录。\n\
             回执所指文件为 {receipt_bytes} 字节，本文件为 {original_bytes} 字节。"
        ),
        Finding::Sha256 { receipt, original } => format!(
            "不一致：{file} 不是该回执所指的音像记录。\n\
             回执中的 SHA-256：{receipt}\n\
             本文件的 SHA-256：{original}\n\
             至少有一个字节不同。回执本身有效。"
        ),
        Finding::Sm3 { receipt, original } => format!(
            "不一致：{file} 不是该回执所指的音像记录。\n\
             回执中的 SM3：{receipt}\n\
             本文件的 SM3：{}",
            original.map_or_else(|| "未计算".to_owned(), |sm3| sm3.to_string())
        ),
        Finding::WrongKey { found, pinned } => format!(
            "密钥不符：该回执不是由您提供的密钥签名的，对您没有任何证明力。\n\
             您提供的密钥：{}（{}）\n\
             回执中的密钥：{}（{}）",
            pinned.name(),
            pinned.fingerprint(),
            found.name(),
            found.fingerprint()
        ),
        Finding::Bad(bad) => format!(
            "回执无效：{bad}。\n\
             回执已损坏、系伪造，或根本不是回执；不能证明 {file} 的任何情况。"
        ),
    }
}

fn proven(body: &ReceiptBody, proof: &Proof, file: &str) -> String {
    let mut out = format!(
        "已证明：{file} 与音像记录 {} 逐字节相同。\n\n\
         由谁证明：账本 {}，其密钥由您提供（指纹 {}）。\n\n已证明的内容：\n",
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
        "未证明：{file} 与回执同密钥 {} 相符，但您尚未指定信任该密钥。\n\
         该密钥的指纹：{}\n\
         任何人都能用自己的密钥制作这样的回执。请通过回执以外的途径向执法单位索取其账本密钥，\n\
         再用 --key 文件 重新核验。\n\n如果该密钥确属该单位，则可证明：\n",
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
        "账本收到的正是这 {} 字节，SHA-256 为 {}{}。",
        body.size_bytes,
        body.sha256,
        body.sm3
            .map_or_else(String::new, |sm3| format!("，SM3 为 {sm3}"))
    ));
    line(
        match body.state {
            SealedState::Sealed => "该音像记录完整。",
            SealedState::Incomplete => "该音像记录不完整：上传提前结束，这是收到的全部字节。",
            SealedState::Quarantined => "该音像记录处于隔离状态：收到的内容与发送方声明的不符。",
        }
        .to_owned(),
    );
    match (&proof.entry.event, body.level) {
        (_, ReceiptLevel::Verified) => line(format!(
            "{} 从存储中回读了已存副本，内容相同。",
            proof.entry.at
        )),
        (Event::RecordingSealed(sealed), _) => {
            line(format!(
                "于 {} 封存，上传始于 {}。",
                proof.entry.at, sealed.created_at
            ));
            if let Some(at) = sealed.recorded_at {
                line(format!("记录仪自身时钟为 {at}；该时钟无人担保。"));
            }
            line("当时尚未回读已存副本：这正是“verified”级回执所补充的。".to_owned());
        }
        _ => {}
    }
    line(format!(
        "以上内容是账本（共 {} 条，根 {}）中的第 {} 条（从 0 起）；不改变该根，就无法删改此条。",
        proof.head.size, proof.head.root, body.leaf_index
    ));
    line(format!("存放位置：{}。", body.vault_key));
    let clock = match (body.clock.synchronised, body.clock.max_error_us) {
        (Some(true), Some(error)) => format!("据其自述已同步，误差不超过 {error} 微秒"),
        (Some(true), None) => "据其自述已同步".to_owned(),
        (Some(false), _) => "据其自述未同步".to_owned(),
        (None, _) => "同步状态不明".to_owned(),
    };
    line(format!(
        "回执签发于 {}。所有时间均为服务器时钟的协调世界时（UTC），该时钟{clock}。",
        body.issued_at
    ));
}

fn limits(out: &mut String) {
    out.push_str(
        "\n未证明的内容：\n\
         \x20 - 到达之前的情况：由谁、何时录制，是否曾被剪辑或改动。\n\
         \x20 - 时间与独立时钟是否一致：本回执不含时间戳机构的时间戳。\n\
         \x20 - 账本对所有人展示相同的内容：本回执不含见证人的签名。\n\
         \x20 - 存储中的副本至今未变。",
    );
}
