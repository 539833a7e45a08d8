//! Any bytes: the search ends, and what it finds lies between the head and what was looked for.
#![no_main]

use docket_container::resume::{Head, Kind};

libfuzzer_sys::fuzz_target!(|input: (u64, u8, &[u8])| {
    let (data, stream, bytes) = input;
    for kind in [Kind::Avi, Kind::Matroska] {
        let mut source = bytes;
        let Some(head) = Head::of(&mut source, kind).expect("memory reads") else {
            continue;
        };
        let found = head.piece(&mut source, data, usize::from(stream));
        if let Some(at) = found.expect("memory reads") {
            assert!(at >= head.bytes && at < data);
        }
    }
});
