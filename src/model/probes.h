/* probes.h -- the questions that can be asked after a failure: diagnose/ wishes for one, verify/ asks it. */
#ifndef MODEL_PROBES_H
#define MODEL_PROBES_H

enum probe_kind {
	PROBE_NONE,
	PROBE_CONTROL,       /* the same port at two unrelated, well-known hosts                             */
	PROBE_PORT,          /* the other ports of that service, and 443, on the same host                   */
	PROBE_CLOCK,         /* the Date of several well-known servers                                       */
	PROBE_DNS,           /* a well-known name at the same resolver                                       */
	PROBE_ISSUER,        /* the missing intermediate, from where the certificate says it lies            */
	PROBE_INTERCEPT,     /* who issued the certificate of an unrelated host                              */
	PROBE_TLS_VERSION,   /* would the server shake hands with TLS below 1.2?                             */
	PROBE_TLS,           /* does a port that stays silent in plain text speak TLS?                       */
	PROBE_PLAIN,         /* does a port that stays silent under TLS greet in plain text?                 */
	PROBE_NAMES,         /* which of the certificate's names lead to the same server?                    */
	PROBE_KINDS
};

const char *probe_id(enum probe_kind);      /* the id of its step: "probe.control" */

#endif
