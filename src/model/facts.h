/* facts.h -- the names of all facts, in one place: conversations write them, rules read them, records keep them.
 *
 * A fact is seen, never concluded. Values are short texts; where a value is one of a few words they stand here.
 */
#ifndef MODEL_FACTS_H
#define MODEL_FACTS_H

/* step address */
#define FACT_ADDRESS_DOMAIN    "address.domain"
#define FACT_OUR_ADDRESSES     "our.addresses"        /* outgoing, to be allowed elsewhere: by the settings or learnt before */
#define FACT_OUR_ONCE          " seen once"           /*   behind each of those that one host alone has told */
#define FACT_ADDRESS_PROBLEM   "address.problem"      /* why it is no address */

/* dns.mx, detect, *.resolve */
#define FACT_DNS_OUTCOME       "dns.outcome"          /* found no_data nxdomain servfail bogus refused timeout broken loop */
#define FACT_DNS_MX            "dns.mx"               /* "10 mx1.example.org"; several */
#define FACT_DNS_NULL_MX       "dns.null_mx"          /* yes: RFC 7505 */
#define FACT_DNS_HAS_ADDRESS   "dns.has_address"      /* yes, no: the domain itself, where it has no MX */
#define FACT_DNS_EDE           "dns.ede"              /* extended error, RFC 8914 */
#define FACT_DNS_ALIAS         "dns.alias"
#define FACT_DNS_FILTER        "dns.mx_is_filter"     /* yes: the MX is a filter in front of an unknown host */
#define FACT_HOSTER            "mail.hoster"          /* id in hosters.def, known by domain or MX */
#define FACT_HOSTER_NAME       "mail.hoster_name"
#define FACT_PROVIDER          "mail.provider"        /* imap microsoft google exchange: what the MX says */
#define FACT_CANDIDATE         "detect.candidate"     /* "imap imap.example.org:993 tls autoconfig" */
#define FACT_LOOKED_AT         "detect.looked_at"     /* "https://autoconfig.example.org/…: 404" */
#define FACT_NOT_OFFERED       "srv.not_offered"      /* "_imaps._tcp.example.org" */

/* exchange.find; also detect.looked_at and srv.not_offered */
#define FACT_EXCHANGE_PLACE    "exchange.place"       /* "ews https://mail.example.org/EWS/Exchange.asmx autodiscover trusted" */

/* *.resolve opens an attempt: where and why there */
#define FACT_HOST              "endpoint.host"
#define FACT_PORT              "endpoint.port"
#define FACT_SOCKET            "endpoint.socket"      /* tls starttls */
#define FACT_SOURCE            "endpoint.source"
#define FACT_TRUSTED           "endpoint.trusted"     /* yes no */
#define FACT_NET_ADDRESS       "net.address"

/* how a wait for the network ended, in any step */
#define FACT_NET_OUTCOME       "net.outcome"          /* ok timeout closed reset refused unreachable not_allowed full … */
#define FACT_NET_TRIED         "net.tried"            /* "192.0.2.7 refused, 3 ms" */
#define FACT_NET_FAMILIES      "net.families"         /* "ipv6 unreachable, ipv4 ok" where they differ */

/* *.tls */
#define FACT_TLS_VERIFY        "tls.verify"           /* ok, or OpenSSL's symbol of the first flaw */
#define FACT_TLS_FLAW          "tls.flaw"             /* name expired not_yet self_signed private_root no_issuer revoked weak other pin */
#define FACT_TLS_TRUSTED_BY    "tls.trusted_by"       /* own_ca own_pin: the workspace's (or --pin), where it was not an authority of all */
#define FACT_TLS_SHOOK         "tls.shook"            /* yes no */
#define FACT_TLS_VERSION       "tls.version"
#define FACT_TLS_CIPHER        "tls.cipher"
#define FACT_TLS_SUBJECT       "tls.subject"
#define FACT_TLS_ISSUER        "tls.issuer"           /* of the server's own certificate: its name */
#define FACT_TLS_LAST_ISSUER   "tls.last_issuer"      /* whom the last one sent names: the one missing, or the root */
#define FACT_TLS_SAN           "tls.san"
#define FACT_TLS_NOT_BEFORE    "tls.not_before"       /* 2026-03-01 08:15:00 UTC, of the flawed certificate */
#define FACT_TLS_NOT_AFTER     "tls.not_after"
#define FACT_TLS_EXPIRED_NAME  "tls.expired_name"     /* whose: the server's own or an intermediate */
#define FACT_TLS_AIA           "tls.aia"
#define FACT_TLS_FINGERPRINT   "tls.fingerprint"
#define FACT_TLS_PIN           "tls.pin"              /* SHA-256 of the server's public key, as it can be pinned */
#define FACT_TLS_KEY           "tls.key"
#define FACT_TLS_SIGNATURE     "tls.signature"
#define FACT_TLS_CHAIN_LENGTH  "tls.chain_length"
#define FACT_TLS_ALERT         "tls.alert"            /* number sent by the peer */
#define FACT_TLS_REASON        "tls.reason"
#define FACT_TLS_CLIENT_CERT   "tls.wants_client_certificate"   /* yes */
#define FACT_FIRST_BYTES       "net.first_bytes"      /* what came instead of TLS, or instead of a greeting */
#define FACT_PROTOCOL          "protocol.is"          /* imap smtp pop3 http ssh tls ftp: what those bytes are */

/* *.starttls */
#define FACT_STARTTLS_OFFERED  "starttls.offered"     /* yes no */
#define FACT_STARTTLS_STRIPPED "starttls.stripped"    /* the word that stands in its place ("XXXXXXXA") */
#define FACT_STARTTLS_INJECTED "starttls.injected"    /* yes: bytes came between the OK and the handshake */

/* replies, in any step */
#define FACT_REPLY_STATUS      "reply.status"         /* IMAP: OK NO BAD BYE PREAUTH */
#define FACT_REPLY_CODE        "reply.code"           /* IMAP: AUTHENTICATIONFAILED; SMTP: 535 */
#define FACT_REPLY_ENHANCED    "reply.enhanced"       /* SMTP: 5.7.8 */
#define FACT_REPLY_TEXT        "reply.text"           /* all of the refusal, in the server's words */
#define FACT_REPLY_ALSO        "reply.also"           /* untagged lines that came with it: "* NO [WEBALERT …" */
#define FACT_REPLY_BROKEN      "reply.broken"         /* how it breaks the protocol */
#define FACT_GREETING          "server.greeting"
#define FACT_CAPABILITY        "server.capability"    /* before login; after login in step *.login */
#define FACT_SERVER_ID         "server.id"            /* ID response */
#define FACT_SERVER_FAMILY     "server.family"        /* derived: which kind of server or provider speaks, hosters.def */

/* smtp.ehlo over a verified line, send.arrive */
#define FACT_OUR_SEEN          "our.seen"             /* the public address that the other side saw us come from */

/* *.login */
#define FACT_AUTH_OFFERED      "auth.offered"         /* "PLAIN LOGIN" */
#define FACT_AUTH_MECHANISM    "auth.mechanism"
#define FACT_AUTH_BY           "auth.by"              /* password token ticket code */
#define FACT_AUTH_USERNAME     "auth.username_form"   /* address local given: never the name itself where it is a secret */
#define FACT_AUTH_NO_COMMON    "auth.no_common"       /* yes: nothing was sent */
#define FACT_AUTH_CLEAR        "auth.offered_in_clear"
#define FACT_SASL_REASON       "sasl.reason"          /* JSON that refused a token */
#define FACT_SASL_STATUS       "sasl.status"
#define FACT_TOKEN_AGE         "token.age"            /* fresh expired unknown */
#define FACT_WORKED_AS         "auth.worked_as"       /* a login that was accepted with another form of the name */

/* a login by Kerberos */
#define FACT_PRINCIPAL         "kerberos.principal"   /* as whom: "ann@EXAMPLE.ORG" */
#define FACT_PROVEN            "kerberos.server_proven"   /* yes: the server has shown that it is the service, to Kerberos too */
#define FACT_TICKET            "kerberos.ticket"      /* none expired kdc_silent no_service no_user key_refused clock unproven other */
#define FACT_TICKET_TEXT       "kerberos.text"        /* the library's words on it */

/* a web service's answers, in any step */
#define FACT_URL               "web.url"              /* what was asked */
#define FACT_HTTP_STATUS       "http.status"
#define FACT_HTTP_REASON       "http.reason"          /* the phrase beside it, where it is not the usual one */
#define FACT_HTTP_LOCATION     "http.location"
#define FACT_HTTP_SERVER       "http.server"
#define FACT_HTTP_TYPE         "http.content_type"
#define FACT_HTTP_RETRY_AFTER  "http.retry_after"
#define FACT_HTTP_EXCERPT      "http.body"            /* its beginning, where nothing else explains a refusal */
#define FACT_PAGE              "page.is"              /* owa gateway adfs microsoft forms ews_fault gateway_fault service html none */
#define FACT_PAGE_MARK         "page.mark"            /* by what that is known */
#define FACT_PAGE_TITLE        "page.title"
#define FACT_IIS_STATUS        "iis.status"           /* "403.6" */
#define FACT_MS_DIAGNOSTICS    "ms.diagnostics"
#define FACT_CAS_ERROR         "exchange.cas_error"
#define FACT_AUTH_CREDENTIALS  "auth.credentials"     /* before after: whether the answer is to credentials */
#define FACT_AUTH_BINDING      "auth.channel_binding" /* sent none */

/* exchange.* */
#define FACT_EXCHANGE_ASKED    "exchange.asked"       /* yes: Exchange was asked for by name, not only looked for */
#define FACT_AUTODISCOVER      "exchange.autodiscover"    /* settings redirectAddr redirectUrl error; nowhere: redirected too often or in a circle */
#define FACT_EXCHANGE_BUILD    "exchange.build"       /* "15.2.1544.9" */
#define FACT_EXCHANGE_PRODUCT  "exchange.product"     /* "Exchange Server 2019 CU14 (15.2.1544.9)" */
#define FACT_EXCHANGE_ERA      "exchange.era"         /* too_old fine online unknown */
#define FACT_EXCHANGE_ONLINE   "exchange.online"      /* yes: by host name or by the issuers it trusts */
#define FACT_EXCHANGE_BINDS    "exchange.may_bind"    /* yes: a build that may insist on channel binding */
#define FACT_EXCHANGE_SCHEMA   "exchange.schema"      /* that was asked for and taken */
#define FACT_GIVEN_URL         "exchange.given_url"
#define FACT_URL_IS_EWS        "exchange.url_is_ews"  /* yes no: the path that was asked is the one where EWS is */
#define FACT_RIGHT_ANSWERS     "exchange.right_url_answers"   /* yes: with challenges, as EWS does */
#define FACT_RIGHT_URL         "exchange.right_url"   /* the same host's EWS, where that is not what was given */
#define FACT_URL_PROBLEM       "exchange.url_problem"
#define FACT_EWS_CODE          "ews.response_code"
#define FACT_EWS_TEXT          "ews.text"
#define FACT_EWS_FAULT         "ews.fault"            /* yes: a SOAP fault, not one part of an answer */
#define FACT_EWS_VALUE         "ews.value"            /* "Primary = ann@example.org" */
#define FACT_EWS_BACK_OFF      "ews.back_off_ms"
#define FACT_EWS_GUID          "ews.mailbox_guid"     /* yes: the refusal names the mailbox by number */
#define FACT_EWS_PRIMARY       "ews.primary"          /* the primary address, as a refusal or a look-up names it */
#define FACT_EWS_FOLDERS       "ews.folders"
#define FACT_EWS_OPERATION     "ews.operation"
#define FACT_ACT_AS            "ews.act_as"           /* the service account that acts for somebody else */
#define FACT_OTHERS_MAILBOX    "ews.others_mailbox"   /* yes: by another's name, with rights given to it */
#define FACT_NTLM_DOMAIN       "ntlm.domain"          /* what the server's challenge says it is called */
#define FACT_NTLM_DNS_DOMAIN   "ntlm.dns_domain"
#define FACT_NTLM_COMPUTER     "ntlm.computer"
#define FACT_NTLM_SUGGESTS     "ntlm.suggests"        /* DOMAIN\\user, by them */

/* caldav.*; in caldav.find also detect.looked_at and srv.not_offered */
#define FACT_CALDAV_URL        "caldav.given_url"
#define FACT_CALDAV_PROBLEM    "caldav.url_problem"
#define FACT_CALDAV_PLACE      "caldav.place"         /* "https://dav.example.org/dav/ srv trusted" */
#define FACT_CALDAV_LEADS      "caldav.leads_to"      /* another host's URL that was named in its place: by a redirect, or as the calendars' */
#define FACT_CALDAV_HOME       "caldav.home"          /* where the calendars are; none */
#define FACT_CALENDARS         "caldav.calendars"     /* how many that take events */
#define FACT_CALENDARS_OTHER   "caldav.without_events"    /* and how many that do not */
#define FACT_CALENDAR          "caldav.calendar"      /* its name */
#define FACT_CALENDAR_MAY_ADD  "caldav.may_add"       /* yes no unknown: to any of them */
#define FACT_EVENT_AT          "event.calendar"       /* where the test event is written: a path */
#define FACT_EVENT_READ        "event.read"           /* "Europe/Berlin as 20261123T030000Z, zone Europe/Berlin by name"; several; by what only at CalDAV */
#define FACT_EVENT_LISTED      "event.listed"         /* yes no: among what takes place at its time, as the server has it */
#define FACT_EVENT_SHIFT       "event.shift_s"        /* so much later than it was written */
#define FACT_EVENT_EARLIER     "event.earlier"        /* how many events of earlier tests were found, and removed first */
#define FACT_EVENT_ZONE        "event.zone"           /* unknown: it came back with a zone that is none */
#define FACT_SYNC_BY           "sync.by"              /* token etags: how changes are told of */
#define FACT_SYNC_TOLD         "sync.told"            /* changed gone nothing: of the test event */
#define FACT_DAV_CLASSES       "dav.classes"          /* "1, 3, calendar-access" */
#define FACT_DAV_CALENDARS     "dav.has_calendars"    /* yes no: as those classes have it */
#define FACT_DAV_CONDITION     "dav.condition"        /* "DAV:need-privileges" */
#define FACT_DAV_NOBODY        "dav.nobody"           /* yes: answered, and said that nobody is signed in */
#define FACT_DAV_MAINTENANCE   "dav.maintenance"      /* yes: Nextcloud says so itself */

/* entra.*: the sign-in at Microsoft; what a token endpoint refuses, and grants */
#define FACT_OAUTH_ERROR       "oauth.error"          /* RFC 6749 5.2, RFC 8628 3.5, and what the provider has besides */
#define FACT_OAUTH_SUBERROR    "oauth.suberror"
#define FACT_OAUTH_TEXT        "oauth.text"           /* error_description */
#define FACT_OAUTH_CLAIMS      "oauth.claims"         /* yes: a challenge came, to be taken to the next sign-in */
#define FACT_OAUTH_ASKED       "oauth.asked"          /* for what a person was sent to sign in */
#define FACT_OAUTH_SCOPE       "oauth.scope"          /* as it was granted */
#define FACT_OAUTH_MISSING     "oauth.missing"        /* what is needed and was not granted */
#define FACT_OAUTH_REFRESHED   "oauth.refreshed"      /* yes; no: there is nothing to refresh with */
#define FACT_AADSTS            "aadsts.number"        /* "50105"; several */
#define FACT_AADSTS_TRACE      "aadsts.correlation_id"    /* by which an administrator finds the sign-in in the log */
#define FACT_AADSTS_TIME       "aadsts.timestamp"
#define FACT_ADMIN_CONSENT     "entra.admin_consent"  /* recorded refused */
#define FACT_DEVICE_CODE       "entra.device_code"    /* ran_out: nobody signed in with it in time */
#define FACT_ENTRA_PAGE        "entra.page"           /* Microsoft's own page, as a person saw it: admin_approval approval_request; none: nobody came back from it */
#define FACT_SIGNIN_AWAY       "signin.away"          /* minutes that nobody came back */
#define FACT_TENANT            "entra.tenant"         /* the organisation's id; unknown: Microsoft has none for that domain */
#define FACT_ID_TOKEN          "id_token.flaw"        /* why it is not believed: a name of id_token.h; account: Graph says another */
#define FACT_CLOCK             "clock.ours"           /* right ahead behind, by the Date of two servers who agree */

/* microsoft.*: Graph */
#define FACT_GRAPH_CODE        "graph.code"           /* outermost first; several where they nest */
#define FACT_GRAPH_TEXT        "graph.text"
#define FACT_GRAPH_REQUEST     "graph.request_id"
#define FACT_ACCOUNT_IS        "account.signed_in_as"
#define FACT_ACCOUNT_ASKED     "account.is_asked"     /* yes no: the account that signed in is the one asked for */
#define FACT_ACCOUNT_KIND      "account.kind"         /* organisation guest personal */
#define FACT_ACCOUNT_PLAN      "account.exchange_plan"    /* Enabled Suspended … as Microsoft has it; none */
#define FACT_ACCOUNT_SYNCED    "account.synced"       /* yes: from a directory of the organisation's own */
#define FACT_ACCOUNT_SENDER    "account.sends_as"
#define FACT_ACCOUNT_AS        "account.as"               /* whoever is to sign in for a mailbox that is not their own    */
#define FACT_ACCOUNT_OTHERS    "account.others_mailbox"   /* yes: they did, and have it by rights given to them           */
#define FACT_ACCOUNT_MADE_UP   "account.made_up_sender"   /* yes: outlook_ and sixteen digits, hexadecimal */
#define FACT_APP               "app.client_id"        /* ours; none: not registered */

/* google.*: the sign-in at Google, Gmail, Calendar; besides oauth.* and account.* above */
#define FACT_GOOGLE_PAGE       "google.page_code"     /* the code on a page of Google's own */
#define FACT_GOOGLE_REASON     "google.reason"        /* the narrowest first; several */
#define FACT_GOOGLE_STATUS     "google.status"        /* PERMISSION_DENIED */
#define FACT_GOOGLE_TEXT       "google.text"
#define FACT_GOOGLE_SERVICE    "google.service"       /* whose refusal it is: gmail.googleapis.com */
#define FACT_GRANT_AGE         "grant.age_days"       /* since the user agreed, where that is known */
#define FACT_ACCOUNT_DOMAIN    "account.workspace"    /* the domain of the account's Google Workspace */
#define FACT_ACCOUNT_MAILBOX   "account.mailbox"      /* the address of its mailbox */
#define FACT_ACCOUNT_ALIAS     "account.alias"        /* yes: the address asked for leads to that mailbox too */
#define FACT_CALENDAR_COUNT    "calendar.count"
#define FACT_CALENDAR_ROLE     "calendar.role"        /* owner writer reader freeBusyReader, of the account's own */

/* imap.list, imap.open */
#define FACT_FOLDERS           "imap.folders"
#define FACT_SPECIAL           "imap.special"         /* "\\Sent = Sent" */
#define FACT_MESSAGES          "imap.messages"

/* smtp.send and after */
#define FACT_SEND_STAGE        "send.stage"           /* mail rcpt data */
#define FACT_SEND_TO           "send.to"
#define FACT_SEND_FOUND        "send.found"           /* yes; no; "not yet": the whole had no more time */
#define FACT_SEND_FROM         "send.from_seen"
#define FACT_SEND_AUTH         "send.authentication"  /* "spf=pass dkim=pass" */
#define FACT_SEND_FOLDER       "send.folder"          /* where it arrived */
#define FACT_SEND_WAITED       "send.waited_ms"       /* in vain */
#define FACT_SEND_BOUNCED      "send.bounced"         /* yes no; with reply.text, reply.code, reply.enhanced out of the bounce */
#define FACT_SEND_COPY         "send.copy"            /* yes no: a copy in the folder for sent mail */
#define FACT_SEND_REMOVED      "send.removed"         /* "INBOX, Sent" */
#define FACT_SEND_LEFT         "send.left"            /* "Sent": where it could not be removed */
#define FACT_SEND_MARKED       "send.marked"          /* those of them where it is marked as deleted */

/* probe.* */
#define FACT_PROBE_RESULT      "probe.result"         /* one word or phrase; verify/probe.c says which */
#define FACT_PROBE_OPEN_PORT   "probe.open_port"      /* where that service may be instead */
#define FACT_PROBE_DATE        "probe.date"           /* "www.example.org: Sat, 21 Nov 2026 08:00:00 GMT" */
#define FACT_PROBE_ISSUER      "probe.issuer"         /* "www.example.org: Some CA" */
#define FACT_PROBE_SAME_SERVER "probe.same_server"    /* a name in the certificate that leads to the same address */
#define FACT_PROBE_OTHER_NAME  "probe.other_name"     /* one that does not */

/* at the end, in step address */
#define FACT_AUTH_SENT         "auth.sent"            /* yes no: whether credentials were said to anybody */

/* explain: what a pasted text says; steps explain.imap, .smtp, .log, .words, .text */
#define FACT_LOG_SAYS          "log.says"             /* what another program's log says went wrong, in one word */
#define FACT_LOG_LINE          "log.line"             /* and the line where it says so */
#define FACT_ALIAS             "document.cause"       /* id of the cause that another document knows by these words */
#define FACT_ALIAS_WHOLE       "document.whole"       /* yes: the text is those words and nothing else, and one cause has them */
#define FACT_FINGERPRINT       "answer.fingerprint"   /* of the whole text, numbers left out */

/* derived by diagnose/ */
#define FACT_STEP_PASSED       "step.passed"          /* the step's id */
#define FACT_SEND_REWRITTEN    "send.from_rewritten"  /* the address it arrived from, where that is not the one asked for */

#endif
