/* certificates.h -- an authority of one day, and server certificates with the flaw that was ordered. */
#ifndef SANDBOX_CERTIFICATES_H
#define SANDBOX_CERTIFICATES_H

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

enum flaw {
	FLAW_NONE,
	FLAW_EXPIRED,           /* three days ago                                           */
	FLAW_NOT_YET,           /* from the day after tomorrow                              */
	FLAW_WRONG_NAME,        /* for other names                                          */
	FLAW_SELF_SIGNED,
	FLAW_OTHER_AUTHORITY,   /* of one that nobody was told of, which is sent along      */
	FLAW_NO_ISSUER,         /* by an intermediate that is not sent, and says where it is */
	FLAW_NAME_IN_SUBJECT,   /* the name only as the common name                         */
	FLAW_WEAK,              /* with a key of 1024 bits                                  */
	FLAW_REVOKED,           /* and an OCSP answer that says so is stapled to it         */
	FLAW_INSPECTED,         /* of an authority that is named as a firewall's            */
};

struct certificate {
	const char  *key, *chain;      /* PEM                         */
	struct slice der;              /* of the server's own         */
	struct slice staple;           /* an OCSP answer; usually none */
};

struct authority;

struct authority *authority_new(void);
void              authority_free(struct authority *);
const char       *authority_pem(struct authority *, struct arena *);
/* The intermediate of FLAW_NO_ISSUER (DER), which is to be had at this path by plain http. */
struct slice      authority_intermediate(struct authority *, struct arena *);
#define AUTHORITY_PATH "/issuer.cer"

/* For these names (the first is the common name), signed by it but for the flaw. FAULT_LOCAL: OpenSSL would not. */
bool certificate_make(struct authority *, struct arena *, const char *const names[], size_t count, enum flaw flaw,
                      struct certificate *out, struct error *err);

#endif
