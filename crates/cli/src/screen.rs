//! Output. A receipt is hostile until it is verified, and even then its strings must not script the
//! terminal: control and direction characters are replaced before anything is printed.

use std::io::Write as _;

/// Text that a terminal only shows.
pub fn harmless(text: &str) -> String {
    let hostile = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .map(|c| if hostile(c) { '\u{fffd}' } else { c })
        .collect()
}

/// Prints a result. A closed pipe is not worth a panic: the exit code still tells.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{}", harmless(text));
}

/// Prints a complaint.
pub fn complain(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", harmless(text));
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn escapes_and_direction_marks_do_not_reach_the_terminal() {
        assert_eq!(
            harmless("贵卫\u{1b}[2J\u{202e}\r\n"),
            "贵卫\u{fffd}[2J\u{fffd}\u{fffd}\n"
        );
    }
}
