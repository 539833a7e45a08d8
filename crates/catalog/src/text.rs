//! Text as it is compared: Unicode's compatibility forms folded, so that what looks the same is the same.

use unicode_normalization::UnicodeNormalization;

/// NFKC, lower case.
pub(crate) fn fold(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

/// A case number as it is compared: NFKC, the brackets 〔〕［］()[]（）【】 unified, spaces dropped.
/// It is stored as given.
pub fn case_number_key(number: &str) -> String {
    number
        .nfkc()
        .filter(|c| !c.is_whitespace() && !c.is_control())
        .map(|c| match c {
            '〔' | '(' | '【' | '{' | '⟦' => '[',
            '〕' | ')' | '】' | '}' | '⟧' => ']',
            other => other,
        })
        // What a space kept apart may now be one character.
        .nfkc()
        .collect()
}

/// A user's name as it is compared: NFKC, lower case, outer spaces off.
pub fn name_key(name: &str) -> String {
    fold(name.trim()).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_and_widths_make_no_difference() {
        let key = case_number_key("贵卫医罚〔2026〕12号");
        for same in [
            "贵卫医罚[2026]12号",
            "贵卫医罚（2026）12号",
            "贵卫医罚［２０２６］１２号",
            "贵卫医罚(2026) 12号",
        ] {
            assert_eq!(case_number_key(same), key, "{same}");
        }
        assert_ne!(case_number_key("贵卫医罚〔2026〕13号"), key);
    }

    #[test]
    fn a_key_is_its_own_key() {
        let key = case_number_key("e \u{301} \u{1100} \u{1161} 12");
        assert_eq!(key, "\u{e9}\u{ac00}12");
        assert_eq!(case_number_key(&key), key);
    }

    #[test]
    fn names_fold_case_and_width() {
        assert_eq!(name_key(" Ｌｉ Wei "), name_key("li wei"));
    }
}
