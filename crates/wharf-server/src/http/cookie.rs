//! Sessions of the page: their token is a cookie, which no script can read, and which only requests of the page itself may use.
//!
//! A cookie is sent with whatever request a browser makes to this server, whoever made it do so. So a request that changes
//! something, or that becomes a live connection, must show that it comes from the page: by `Sec-Fetch-Site`, or, where the browser does not send
//! that, by an `Origin` with the server's own name. Tokens in `Authorization` need no such proof: nobody else can make a browser send them.

use axum::extract::FromRequestParts;
use http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN, SET_COOKIE, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;
use wharf_types::ErrorCode;

use super::Http;
use super::error::{Answer, Refusal};
use super::extract;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// With this prefix browsers take the cookie from this very host alone, over TLS.
const SECURE_NAME: &str = "__Host-wharf";
/// As long as browsers keep any; the session itself ends by the operator's rule.
const AGE_SECONDS: u32 = 400 * 24 * 60 * 60;

/// The head of a request that shows that the page made it.
pub(super) struct FromPage(pub(super) Parts);

impl FromRequestParts<Http> for FromPage {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Http) -> Answer<Self> {
        must_be_from_the_page(&parts.headers)?;
        Ok(Self(parts.clone()))
    }
}

/// The token that a request's cookie holds; `None` where there is no such cookie.
///
/// # Errors
/// `Denied`: the request has the cookie and changes something, but does not show that it comes from the page.
pub(super) fn token<'a>(parts: &'a Parts, http: &Http) -> Answer<Option<&'a str>> {
    let Some(token) = find(&parts.headers, &name(parts, http)) else {
        return Ok(None);
    };
    let changes = !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
    if changes || parts.headers.contains_key(UPGRADE) {
        must_be_from_the_page(&parts.headers)?;
    }
    Ok(Some(token))
}

/// Passes a request that shows that the page made it.
///
/// # Errors
/// `Denied` otherwise.
fn must_be_from_the_page(headers: &HeaderMap) -> Answer<()> {
    let is_from_the_page = match headers.get(SEC_FETCH_SITE) {
        Some(site) => site == "same-origin",
        None => is_own_origin(headers),
    };
    if is_from_the_page {
        return Ok(());
    }
    Err(Refusal::new(
        ErrorCode::Denied,
        "a session in a cookie serves only requests of the server's own page; send the token as Authorization: Bearer",
    ))
}

/// The header that has the browser keep the token.
pub(super) fn set(parts: &Parts, http: &Http, token: &str) -> Answer<(HeaderName, HeaderValue)> {
    cookie(parts, http, token, AGE_SECONDS)
}

/// The header that has the browser forget the token, where the request came with one.
pub(super) fn clear(parts: &Parts, http: &Http) -> Answer<Option<(HeaderName, HeaderValue)>> {
    if find(&parts.headers, &name(parts, http)).is_none() {
        return Ok(None);
    }
    cookie(parts, http, "", 0).map(Some)
}

fn cookie(
    parts: &Parts,
    http: &Http,
    token: &str,
    age_seconds: u32,
) -> Answer<(HeaderName, HeaderValue)> {
    let name = name(parts, http);
    let secure = if name == SECURE_NAME { "; Secure" } else { "" };
    let cookie =
        format!("{name}={token}; Path=/; Max-Age={age_seconds}; HttpOnly; SameSite=Strict{secure}");
    let value = HeaderValue::from_str(&cookie)
        .map_err(|_| Refusal::invalid("the Host header cannot name a cookie"))?;
    Ok((SET_COOKIE, value))
}

/// What the cookie is called. Without TLS the port is part of it: browsers keep the cookies of all ports of a host together.
fn name(parts: &Parts, http: &Http) -> String {
    if is_secure(parts, http) {
        return SECURE_NAME.to_owned();
    }
    let host = host(&parts.headers).unwrap_or_default();
    let port = host.rsplit_once(':').map_or("80", |(_, port)| port);
    let port: String = port.chars().filter(char::is_ascii_digit).collect();
    format!("wharf-{port}")
}

/// Whether the browser speaks TLS: with this server, or with a proxy that the operator trusts.
fn is_secure(parts: &Parts, http: &Http) -> bool {
    let config = http.config();
    let is_proxied = extract::peer(parts)
        .is_ok_and(|peer| config.trusted_proxies.contains(&peer.to_canonical()));
    let forwarded = parts.headers.get(X_FORWARDED_PROTO);
    config.tls.is_some() || (is_proxied && forwarded.is_some_and(|proto| proto == "https"))
}

fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    if headers.contains_key(AUTHORIZATION) {
        return None;
    }
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find_map(|(found, token)| (found == name && !token.is_empty()).then_some(token))
}

/// Whether `Origin` is there and names the host that was asked.
fn is_own_origin(headers: &HeaderMap) -> bool {
    let origin = headers.get(ORIGIN).and_then(|value| value.to_str().ok());
    let (Some(origin), Some(host)) = (
        origin.and_then(|origin| Url::parse(origin).ok()),
        host(headers),
    ) else {
        return false;
    };
    let asked = Url::parse(&format!("{}://{host}", origin.scheme()));
    asked.is_ok_and(|asked| asked.origin() == origin.origin() && origin.origin().is_tuple())
}

fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(HOST)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::{SEC_FETCH_SITE, find, must_be_from_the_page};

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn the_browser_s_own_word_decides_and_else_the_origin() {
        let site =
            |site, origin| headers(&[(HOST, "a:1"), (SEC_FETCH_SITE, site), (ORIGIN, origin)]);
        must_be_from_the_page(&site("same-origin", "http://b")).unwrap();
        for other in ["cross-site", "same-site", "none", ""] {
            must_be_from_the_page(&site(other, "http://a:1")).unwrap_err();
        }
        let origin = |host, origin| headers(&[(HOST, host), (ORIGIN, origin)]);
        must_be_from_the_page(&origin("a:1", "http://a:1")).unwrap();
        must_be_from_the_page(&origin("a", "https://a")).unwrap();
        must_be_from_the_page(&origin("A:443", "https://a")).unwrap();
        for (host, from) in [
            ("a:1", "http://a:2"),
            ("a", "http://b"),
            ("a", "null"),
            ("a", "file://"),
            ("", "http://a"),
        ] {
            must_be_from_the_page(&origin(host, from)).unwrap_err();
        }
        must_be_from_the_page(&headers(&[(HOST, "a")])).unwrap_err();
    }

    #[test]
    fn the_cookie_is_found_among_others_and_gives_way_to_a_token() {
        let cookies = (COOKIE, "a=b; wharf-1=secret;c");
        assert_eq!(
            find(&headers(std::slice::from_ref(&cookies)), "wharf-1"),
            Some("secret")
        );
        assert_eq!(
            find(&headers(std::slice::from_ref(&cookies)), "wharf"),
            None
        );
        assert_eq!(find(&headers(&[(COOKIE, "wharf-1=")]), "wharf-1"), None);
        let both = headers(&[cookies, (AUTHORIZATION, "Bearer other")]);
        assert_eq!(find(&both, "wharf-1"), None);
    }
}
