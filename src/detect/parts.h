/* parts.h -- what the files of detect/ share among themselves. */
#ifndef DETECT_PARTS_H
#define DETECT_PARTS_H

#include "detect/detect.h"

/* -- exchanger.c -------------------------------------------------------------------------------------------------- */

void           exchanger_init(struct detect *);
enum want_kind exchanger_step(void *self, struct want *, struct error *);
void           exchanger_release(struct detect *);

/* The hoster's servers, for the services that are wanted. */
void detect_take_hoster(struct detect *, const struct hoster *, bool by_domain);

void        evidence_ask(struct detect *, struct detect_evidence *, int wait_ms);
const char *evidence_says(const struct detect_evidence *);      /* "microsoft" "google" or NULL */
void        evidence_release(struct detect_evidence *);

/* -- documents.c -------------------------------------------------------------------------------------------------- */

void           documents_init(struct detect *);
enum want_kind document_step(void *self, struct want *, struct error *);
void           documents_release(struct detect *);

enum endpoint_source document_expected_source(const struct detect_document *);
void                 document_facts(const struct detect_document *);

/* To go there tells nobody of the address but the domain's own servers. */
bool keeps_address(const struct mail_address *, const struct http_url *next, struct arena *job);

/* -- detect.c ----------------------------------------------------------------------------------------------------- */

/* Something has ended: see whether what is still open could be worth waiting for. */
void detect_judge(struct detect *);

int detect_time_left(const struct detect *, const struct want *);      /* at least 1 */
int detect_dns_wait(const struct detect *);

enum want_kind detect_called_off(const struct detect *, struct error *);

#endif
