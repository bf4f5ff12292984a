#include "token/rules.h"

void jwt_rules_from_settings(const struct settings *settings, struct jwt_rules *out)
{
    *out = (struct jwt_rules){
        .allowed = {[KEY_HS256] = settings->token.hs256, [KEY_RS256] = settings->token.rs256},
        .issuers = settings->token.issuer,
        .audiences = settings->token.audience,
        .leeway_s = settings->token.leeway_s,
        .max_bytes = (size_t)settings->token.max_bytes,
        .session_required = settings->token.sessions == SETTINGS_SESSIONS_REQUIRED,
    };
    if (settings->token.sessions != SETTINGS_SESSIONS_OFF)
        out->session_claim = settings->token.session_claim;
}
