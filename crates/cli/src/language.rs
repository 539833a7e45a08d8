//! English or Chinese, by the environment as POSIX orders it.

/// What people are spoken to in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// The default.
    English,
    /// Where the locale begins with `zh`.
    Chinese,
}

impl Language {
    /// `LC_ALL` before `LC_MESSAGES` before `LANG`; the first that is not empty decides.
    pub fn of_environment() -> Self {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .filter_map(std::env::var_os)
            .find(|value| !value.is_empty());
        match locale {
            Some(locale) if locale.as_encoded_bytes().starts_with(b"zh") => Self::Chinese,
            _ => Self::English,
        }
    }
}
