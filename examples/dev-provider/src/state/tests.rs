use super::*;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const REDIRECT: &str = "http://127.0.0.1:1/callback";

struct Bench {
    now: SystemTime,
    rotation: Rotation,
    state: State,
    tokens: Tokens,
}

impl Bench {
    fn new(rotation: Rotation) -> Self {
        let tokens = Tokens::new(String::new()).unwrap();
        Self { now: SystemTime::UNIX_EPOCH, rotation, state: State::new(Duration::from_secs(60)), tokens }
    }

    fn terms(&mut self) -> (&mut State, Terms<'_>) {
        let terms = Terms { now: self.now, rotation: self.rotation, tokens: &self.tokens };
        (&mut self.state, terms)
    }

    fn code(&mut self) -> String {
        let approval = Approval {
            client_id: "app".into(),
            code_challenge: CHALLENGE.into(),
            nonce: None,
            redirect_uri: REDIRECT.into(),
            scopes: vec!["read".into(), "write".into()],
            user: "ada".into(),
        };
        let (state, terms) = self.terms();
        state.approve(approval, Duration::from_secs(60), &terms)
    }

    fn redeem(&mut self, code: &str, client: &str, verifier: &str) -> Result<Issued, OAuthError> {
        let (state, terms) = self.terms();
        state.redeem(code, client, REDIRECT, verifier, &terms)
    }

    fn connect(&mut self) -> Issued {
        let code = self.code();
        self.redeem(&code, "app", VERIFIER).ok().unwrap()
    }

    fn refresh(&mut self, token: &str) -> Option<Issued> {
        let (state, terms) = self.terms();
        state.refresh(token, "app", None, &terms).ok()
    }

    fn works(&self, access_token: &str) -> bool {
        self.state.live_access_token(access_token, self.now).is_some()
    }
}

#[test]
fn a_replayed_code_ends_the_grant_it_gave() {
    let mut bench = Bench::new(Rotation::Strict);
    let code = bench.code();
    let issued = bench.redeem(&code, "app", VERIFIER).ok().unwrap();
    assert!(bench.works(&issued.access_token));
    assert!(bench.redeem(&code, "app", VERIFIER).is_err());
    assert!(!bench.works(&issued.access_token));
    assert!(bench.refresh(&issued.refresh_token).is_none());
}

#[test]
fn a_code_is_not_spoilt_by_another_client_or_a_wrong_verifier() {
    let mut bench = Bench::new(Rotation::Strict);
    let code = bench.code();
    assert!(bench.redeem(&code, "other", VERIFIER).is_err());
    assert!(bench.redeem(&code, "app", "guess").is_err());
    assert!(bench.redeem(&code, "app", VERIFIER).is_ok());
}

#[test]
fn a_reused_refresh_token_kills_the_newest_tokens_too() {
    let mut bench = Bench::new(Rotation::Strict);
    let first = bench.connect();
    let second = bench.refresh(&first.refresh_token).unwrap();
    assert_ne!(first.refresh_token, second.refresh_token);
    assert!(bench.refresh(&first.refresh_token).is_none());
    assert!(!bench.works(&second.access_token));
    assert!(bench.refresh(&second.refresh_token).is_none());
}

#[test]
fn a_forgiving_server_repeats_the_successor_until_it_is_used_or_the_grace_ends() {
    let mut bench = Bench::new(Rotation::Forgiving { grace: Duration::from_secs(10) });
    let first = bench.connect();
    let second = bench.refresh(&first.refresh_token).unwrap();
    assert_eq!(bench.refresh(&first.refresh_token).unwrap().refresh_token, second.refresh_token);
    bench.now += Duration::from_secs(10);
    assert!(bench.refresh(&first.refresh_token).is_none());

    let mut bench = Bench::new(Rotation::Forgiving { grace: Duration::from_secs(10) });
    let first = bench.connect();
    let second = bench.refresh(&first.refresh_token).unwrap();
    bench.refresh(&second.refresh_token).unwrap();
    assert!(bench.refresh(&first.refresh_token).is_none());
}

#[test]
fn without_rotation_one_refresh_token_works_for_ever() {
    let mut bench = Bench::new(Rotation::Off);
    let first = bench.connect();
    for _ in 0..3 {
        assert_eq!(bench.refresh(&first.refresh_token).unwrap().refresh_token, first.refresh_token);
    }
}

#[test]
fn a_refresh_may_ask_for_fewer_scopes_and_never_for_more() {
    let mut bench = Bench::new(Rotation::Strict);
    let token = bench.connect().refresh_token;
    let (state, terms) = bench.terms();
    assert!(state.refresh(&token, "app", Some("read admin"), &terms).is_err());
    assert_eq!(state.refresh(&token, "app", Some("read"), &terms).ok().unwrap().scopes, ["read"]);
}

#[test]
fn revoking_a_refresh_token_ends_its_grant_and_an_access_token_goes_alone() {
    let mut bench = Bench::new(Rotation::Strict);
    let issued = bench.connect();
    assert!(bench.state.revoke(&issued.access_token, "other").is_err());
    bench.state.revoke(&issued.access_token, "app").ok().unwrap();
    assert!(!bench.works(&issued.access_token));
    let issued = bench.refresh(&issued.refresh_token).unwrap();
    bench.state.revoke(&issued.refresh_token, "app").ok().unwrap();
    assert!(!bench.works(&issued.access_token));
}
