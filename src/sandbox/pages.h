/* pages.h -- what stands where EWS should, and the pages around it. */
#ifndef SANDBOX_PAGES_H
#define SANDBOX_PAGES_H

#include <stdbool.h>

struct sandbox;
struct request;
struct reply;

enum page {
	PAGE_404, PAGE_403, PAGE_403_4, PAGE_403_6, PAGE_403_7, PAGE_440, PAGE_456, PAGE_500, PAGE_502, PAGE_503, PAGE_504,
	PAGE_CAS_ERROR, PAGE_HTTPAPI_404, PAGE_HTTPAPI_400, PAGE_OTHER,
	PAGE_OWA, PAGE_TMG, PAGE_UAG_ERROR,
	PAGE_TO_OWA, PAGE_TO_TMG, PAGE_TO_UAG, PAGE_TO_ADFS, PAGE_TO_FORMS, PAGE_CIRCLE, PAGE_TO_VALUE, PAGE_GENERIC_ERROR,
	PAGE_COUNT,
};

/* `value`: what was ordered with it, or NULL. */
void page_write(struct sandbox *, struct request *, struct reply *, enum page, const char *value);

/* A page of IIS; `sub`: "401.1 - Unauthorized: …" or NULL. Only the body. */
void page_iis(struct request *, struct reply *, int status, const char *sub, const char *text);

/* Outlook on the web: false when the path is none of its. */
bool page_owa(struct sandbox *, struct request *, struct reply *);

#endif
