//! Any bytes: the walk ends, and what it names lies inside the file.
#![no_main]

use std::io::Cursor;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let top = docket_container::walk(&mut Cursor::new(bytes)).expect("memory reads");
    for range in [top.moov.clone(), top.hint()].into_iter().flatten() {
        assert!(range.start < range.end && range.end <= bytes.len() as u64);
    }
});
