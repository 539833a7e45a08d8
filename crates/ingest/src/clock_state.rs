//! What the kernel knows about its own clock, for receipts.

use docket_ledger::ClockState;

/// Asks the kernel (adjtimex without changing anything). Where it can't be asked, nothing is claimed.
#[allow(unsafe_code)]
pub fn read() -> ClockState {
    // SAFETY: `timex` is plain data for which all zeros is valid; `modes = 0` only reads; the pointer is
    // to a local that outlives the call.
    let (state, timex) = unsafe {
        let mut timex: libc::timex = std::mem::zeroed();
        (libc::adjtimex(&raw mut timex), timex)
    };
    if state < 0 {
        return ClockState::default();
    }
    ClockState {
        synchronised: Some(state != libc::TIME_ERROR),
        max_error_us: u64::try_from(timex.maxerror).ok(),
    }
}
