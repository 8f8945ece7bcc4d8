//! What people type to say who they are, and the secrets they are given: names, passwords, codes and tokens.

use data_encoding::{BASE32_NOPAD_VISUAL, BASE64URL_NOPAD};
use wharf_types::limit::{
    EMAIL_BYTES_MAX, PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, USERNAME_CHARS_MAX,
};
use wharf_types::name::{fold, nfc};

use crate::error::{Error, Result};
use crate::random::Random;

/// The first number there is; all have six digits.
pub(super) const NUMBER_MIN: u32 = 100_000;
/// How many numbers there are.
pub(super) const NUMBERS: u32 = 900_000;

/// What every token begins with, so that people and scanners for leaked secrets know one when they see it.
const TOKEN_PREFIX: &str = "wharf_";
const TOKEN_BYTES: usize = 32;
/// 120 bits: beyond guessing, even if nothing counted the guesses.
const CODE_BYTES: usize = 15;
const CODE_GROUP_CHARS: usize = 4;

/// A unique text as given and as compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Keyed {
    pub(super) shown: String,
    pub(super) key: String,
}

/// What a person typed as their login; the three kinds cannot be mistaken for each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LoginName {
    Number(u32),
    Username(String),
    Email(String),
}

/// A secret, and the hash that is stored in its place.
#[derive(Clone)]
pub(crate) struct Secret {
    pub(crate) text: String,
    pub(crate) hash: [u8; 32],
}

impl LoginName {
    /// Reads what was typed, or nothing if it can be no login.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() > EMAIL_BYTES_MAX {
            return None;
        }
        if text.contains('@') {
            return email(text).ok().map(|email| Self::Email(email.key));
        }
        if text.starts_with(|first: char| first.is_ascii_digit()) {
            let number = text
                .parse()
                .ok()
                .filter(|number| text.len() == 6 && *number >= NUMBER_MIN);
            return number.map(Self::Number);
        }
        username(text).ok().map(|name| Self::Username(name.key))
    }
}

/// Checks a username.
pub(super) fn username(text: &str) -> Result<Keyed> {
    let shown = nfc(text);
    let mut chars = shown.chars();
    let is_well_formed = chars.next().is_some_and(char::is_alphabetic)
        && chars.all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-'))
        && shown.chars().count() <= USERNAME_CHARS_MAX;
    if !is_well_formed {
        return Err(Error::invalid(format!(
            "a username has 1 to {USERNAME_CHARS_MAX} letters, digits, '.', '_' or '-', and begins with a letter"
        )));
    }
    let key = fold(&shown);
    Ok(Keyed { shown, key })
}

/// Checks the shape of an e-mail address; whether it can be reached is another question.
pub(super) fn email(text: &str) -> Result<Keyed> {
    let shown = nfc(text);
    let is_well_formed = shown.len() <= EMAIL_BYTES_MAX
        && !shown.chars().any(|c| c.is_whitespace() || c.is_control())
        && shown.rsplit_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && !local.contains('@') && !domain.is_empty()
        });
    if !is_well_formed {
        return Err(Error::invalid("this is no e-mail address"));
    }
    let key = fold(&shown);
    Ok(Keyed { shown, key })
}

/// Checks a new password, and gives it in the form that is hashed.
pub(super) fn new_password(text: &str) -> Result<String> {
    let password = typed_password(text);
    if password.len() > PASSWORD_BYTES_MAX || password.chars().count() < PASSWORD_CHARS_MIN {
        return Err(Error::invalid(format!(
            "a password has at least {PASSWORD_CHARS_MIN} characters and at most {PASSWORD_BYTES_MAX} bytes"
        )));
    }
    Ok(password)
}

/// A password in the form that is hashed: keyboards differ in how they compose letters, people do not see it.
pub(super) fn typed_password(text: &str) -> String {
    // What is longer than any password need not be composed to be refused.
    if text.len() > 4 * PASSWORD_BYTES_MAX {
        String::new()
    } else {
        nfc(text)
    }
}

/// Makes a session's token.
pub(super) fn new_token(random: &Random) -> Secret {
    let bytes: [u8; TOKEN_BYTES] = random.bytes();
    Secret {
        text: format!("{TOKEN_PREFIX}{}", BASE64URL_NOPAD.encode(&bytes)),
        hash: *blake3::hash(&bytes).as_bytes(),
    }
}

/// What the database knows a token by, or nothing if the text is no token.
pub(super) fn token_hash(text: &str) -> Option<[u8; 32]> {
    let encoded = text.strip_prefix(TOKEN_PREFIX)?.as_bytes();
    let mut bytes = [0; TOKEN_BYTES];
    if BASE64URL_NOPAD.decode_len(encoded.len()).ok()? != TOKEN_BYTES {
        return None;
    }
    BASE64URL_NOPAD.decode_mut(encoded, &mut bytes).ok()?;
    Some(*blake3::hash(&bytes).as_bytes())
}

/// Makes a code that a person can read out or copy by hand.
pub(crate) fn new_code(random: &Random) -> Secret {
    let bytes: [u8; CODE_BYTES] = random.bytes();
    let letters = BASE32_NOPAD_VISUAL.encode(&bytes).to_lowercase();
    let mut text = String::with_capacity(letters.len() + letters.len() / CODE_GROUP_CHARS);
    for (index, letter) in letters.chars().enumerate() {
        if index > 0 && index % CODE_GROUP_CHARS == 0 {
            text.push('-');
        }
        text.push(letter);
    }
    Secret {
        text,
        hash: *blake3::hash(&bytes).as_bytes(),
    }
}

/// What the database knows a code by, or nothing if the text is no code. Letter case, spaces and dashes do not matter.
pub(crate) fn code_hash(text: &str) -> Option<[u8; 32]> {
    let letters: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .map(|c| c.to_ascii_uppercase())
        .take(2 * CODE_BYTES)
        .collect();
    let bytes = BASE32_NOPAD_VISUAL.decode(letters.as_bytes()).ok()?;
    (bytes.len() == CODE_BYTES).then(|| *blake3::hash(&bytes).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::{
        LoginName, code_hash, email, new_code, new_password, new_token, token_hash, typed_password,
        username,
    };
    use crate::random::Random;

    #[test]
    fn the_three_kinds_of_login_do_not_overlap() {
        assert_eq!(
            LoginName::parse(" 123456 "),
            Some(LoginName::Number(123_456))
        );
        assert_eq!(
            LoginName::parse("Ada"),
            Some(LoginName::Username("ada".into()))
        );
        assert_eq!(
            LoginName::parse("Ada@Example.org"),
            Some(LoginName::Email("ada@example.org".into()))
        );
        for nobody in [
            "",
            "12345",
            "1234567",
            "012345",
            "1ada",
            "+12345",
            "a b",
            "@",
            "a@",
            &"a".repeat(300),
        ] {
            assert_eq!(LoginName::parse(nobody), None, "{nobody:?}");
        }
    }

    #[test]
    fn usernames_meet_without_regard_to_case_and_composition() {
        assert_eq!(
            username("Jose\u{301}").unwrap().key,
            username("JOS\u{c9}").unwrap().key
        );
        assert_eq!(username("李雷").unwrap().shown, "李雷");
        for bad in [
            "",
            "9lives",
            ".a",
            "a b",
            "a/b",
            "a\0",
            "a@b",
            &"x".repeat(33),
        ] {
            assert!(username(bad).is_err(), "{bad:?}");
        }
        assert!(username(&"x".repeat(32)).is_ok());
    }

    #[test]
    fn an_email_address_is_bounded() {
        assert!(email("a@b").is_ok());
        for bad in [
            "a",
            "a@b@c",
            "a @b",
            "@b",
            "a@",
            &format!("{}@b", "a".repeat(254)),
        ] {
            assert!(email(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn passwords_are_counted_in_characters_and_bounded_in_bytes() {
        assert!(new_password("sieben7").is_err());
        assert!(new_password("acht\u{e9}\u{e9}\u{e9}\u{e9}").is_ok());
        assert!(new_password(&"x".repeat(1025)).is_err());
        assert!(new_password(&"x".repeat(1024)).is_ok());
        assert_eq!(typed_password("cafe\u{301}"), "caf\u{e9}");
    }

    #[test]
    fn tokens_and_codes_are_known_by_their_hash_alone() {
        let random = Random::seeded(3);
        let token = new_token(&random);
        assert_eq!(token_hash(&token.text), Some(token.hash));
        assert_ne!(new_token(&random).hash, token.hash);
        for bad in [
            "",
            "wharf_",
            &token.text[1..],
            &token.text[..48],
            &format!("{}A", token.text),
        ] {
            assert_eq!(token_hash(bad), None, "{bad:?}");
        }

        let code = new_code(&random);
        assert_eq!(code.text.len(), 29);
        assert_eq!(code_hash(&code.text), Some(code.hash));
        assert_eq!(
            code_hash(&format!(" {} ", code.text.replace('-', " ").to_uppercase())),
            Some(code.hash)
        );
        assert_eq!(code_hash(&code.text[..28]), None);
        assert_eq!(code_hash(&format!("{}a", code.text)), None);
        assert_eq!(code_hash("é"), None);
    }
}
