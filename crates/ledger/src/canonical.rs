//! Canonical JSON (RFC 8785), one form for everything that is hashed or signed.
//!
//! On top of the RFC: an absent value is an absent member (`null` members are left out), and integers
//! must be exact in a double (below 2^53), as the RFC's number form presumes.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Why a value has no canonical form, or bytes are not in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    /// Not of the expected structure.
    #[error("{0}")]
    Structure(String),
    /// JSON of the right structure, but written otherwise: other bytes for the same thing.
    #[error("not in canonical form")]
    NotCanonical,
}

/// The canonical bytes.
///
/// # Errors
/// [`CanonicalError::Structure`] for what JSON cannot say, or not exactly.
pub fn to_canonical<T: Serialize>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    let mut value = serde_json::to_value(value).map_err(structure)?;
    strip_absent(&mut value)?;
    serde_json_canonicalizer::to_vec(&value).map_err(structure)
}

/// Reads bytes that must be exactly the canonical form of what they say; unknown members,
/// duplicate members, other spellings of numbers or strings are all refused.
///
/// # Errors
/// [`CanonicalError`].
pub fn from_canonical<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, CanonicalError> {
    let value: T = serde_json::from_slice(bytes).map_err(structure)?;
    if to_canonical(&value)? == bytes {
        Ok(value)
    } else {
        Err(CanonicalError::NotCanonical)
    }
}

fn structure(error: serde_json::Error) -> CanonicalError {
    CanonicalError::Structure(error.to_string())
}

fn strip_absent(value: &mut Value) -> Result<(), CanonicalError> {
    const EXACT: u64 = 1 << 53;
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().try_for_each(strip_absent)
        }
        Value::Array(items) => items.iter_mut().try_for_each(strip_absent),
        Value::Number(n) => {
            let exact = match (n.as_u64(), n.as_i64()) {
                (Some(n), _) => n < EXACT,
                (None, Some(n)) => n.unsigned_abs() < EXACT,
                (None, None) => false,
            };
            let refused = || CanonicalError::Structure(format!("{n} is no integer below 2^53"));
            if exact { Ok(()) } else { Err(refused()) }
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Thing {
        name: String,
        count: Option<u64>,
    }

    #[test]
    fn absent_is_left_out_and_members_are_sorted() {
        let thing = Thing {
            name: "贵卫\u{7}".to_owned(),
            count: None,
        };
        assert_eq!(
            to_canonical(&thing).expect("plain"),
            "{\"name\":\"贵卫\\u0007\"}".as_bytes()
        );
        let counted = Thing {
            name: String::new(),
            count: Some(3),
        };
        assert_eq!(
            to_canonical(&counted).expect("plain"),
            br#"{"count":3,"name":""}"#
        );
    }

    #[test]
    fn every_other_spelling_is_refused() {
        let good = br#"{"count":3,"name":"a"}"#;
        assert!(from_canonical::<Thing>(good).is_ok());
        for bad in [
            r#"{"name":"a","count":3}"#,
            r#"{"count": 3,"name":"a"}"#,
            r#"{"count":3,"name":"\u0061"}"#,
            r#"{"count":3,"extra":1,"name":"a"}"#,
            r#"{"count":null,"name":"a"}"#,
            r#"{"count":3,"name":"a"} "#,
        ] {
            assert_eq!(
                from_canonical::<Thing>(bad.as_bytes()),
                Err(CanonicalError::NotCanonical),
                "{bad}"
            );
        }
        assert!(matches!(
            from_canonical::<Thing>(br#"{"count":9007199254740992,"name":"a"}"#),
            Err(CanonicalError::Structure(_))
        ));
        assert!(to_canonical(&0.5).is_err());
    }
}
