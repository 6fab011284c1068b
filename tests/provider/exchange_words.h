/* exchange_words.h -- what an Exchange server says, for the tests that play one. */
#ifndef TESTS_PROVIDER_EXCHANGE_WORDS_H
#define TESTS_PROVIDER_EXCHANGE_WORDS_H

/* A challenge of CONTOSO, contoso.example, as a Windows of today sends it. */
#define TYPE2 \
	"TlRMTVNTUAACAAAADgAOADgAAAAFgomiASNFZ4mrze8AAAAAAAAAAJ4AngBGAAAACgB8TwAAAA9DAE8ATgBUAE8AUwBPAAIADgBDAE8ATgBUAE8AUwBPAAEACABFAFgAMAAxAAQA" \
	"HgBjAG8AbgB0AG8AcwBvAC4AZQB4AGEAbQBwAGwAZQADACgAZQB4ADAAMQAuAGMAbwBuAHQAbwBzAG8ALgBlAHgAYQBtAHAAbABlAAUAHgBjAG8AbgB0AG8AcwBvAC4AZQB4AGEA" \
	"bQBwAGwAZQAHAAgAAIDyHmRa2wEAAAAA"
#define TYPE1 "Authorization: NTLM TlRMTVNTUAAB"
#define TYPE3 "Authorization: NTLM TlRMTVNTUAAD"

#define XML(status, header, body) \
	status "\nContent-Type: text/xml; charset=utf-8\n\n<?xml version=\"1.0\" encoding=\"utf-8\"?>" \
	"<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\"" \
	" xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\"><s:Header>" header "</s:Header><s:Body>" body "</s:Body></s:Envelope>\r\n"
#define VERSION(major, minor, build, revision) \
	"<t:ServerVersionInfo MajorVersion=\"" major "\" MinorVersion=\"" minor "\" MajorBuildNumber=\"" build "\" MinorBuildNumber=\"" revision "\"/>"
#define V2016 VERSION("15", "1", "2507", "39")
#define V2007 VERSION("8", "1", "436", "0")
#define MESSAGE(op, class, code, rest) \
	"<m:" op "ResponseMessage ResponseClass=\"" class "\"><m:ResponseCode>" code "</m:ResponseCode>" rest "</m:" op "ResponseMessage>"
#define MESSAGES(version, op, messages) XML("200 OK", version, "<m:" op "Response><m:ResponseMessages>" messages "</m:ResponseMessages></m:" op "Response>")
#define ANSWER(version, op, class, code, rest) MESSAGES(version, op, MESSAGE(op, class, code, rest))
#define FINE(op, rest)         ANSWER(V2016, op, "Success", "NoError", rest)
#define ERROR(op, code)        ANSWER(V2016, op, "Error", code, "<m:MessageText>the server's words</m:MessageText>")
#define WITH_VALUES(op, code, values) ANSWER(V2016, op, "Error", code, "<m:MessageText>the server's words</m:MessageText><m:MessageXml>" values "</m:MessageXml>")
#define VALUE(name, value)     "<t:Value Name=\"" name "\">" value "</t:Value>"
#define FAULT(code, values) \
	XML("500 Internal Server Error", "", "<s:Fault><faultcode xmlns:a=\"http://schemas.microsoft.com/exchange/services/2006/types\">a:" code \
	"</faultcode><faultstring>the server's words</faultstring><detail>" \
	"<e:ResponseCode xmlns:e=\"http://schemas.microsoft.com/exchange/services/2006/errors\"> " code " </e:ResponseCode>" \
	"<t:MessageXml>" values "</t:MessageXml></detail></s:Fault>")
#define GOT                    MESSAGE("GetFolder", "Success", "NoError", "<m:Folders><t:Folder><t:FolderId Id=\"AAM=\" ChangeKey=\"AQ==\"/></t:Folder></m:Folders>")
#define NOT_GOT(code, values)  MESSAGE("GetFolder", "Error", code, "<m:MessageText>the server's words</m:MessageText><m:MessageXml>" values "</m:MessageXml><m:Folders/>")
#define NOT_TRIED              MESSAGE("GetFolder", "Warning", "ErrorBatchProcessingStopped", "<m:Folders/>")
#define FOLDER                 MESSAGES(V2016, "GetFolder", GOT)
#define ROOT                   MESSAGE("GetFolder", "Success", "NoError", "<m:Folders><t:Folder><t:FolderId Id=\"AAE=\"/><t:ChildFolderCount>12</t:ChildFolderCount></t:Folder></m:Folders>")
/* To the first question: the inbox, the inbox by the mailbox's address, the root of the folders, the calendar. */
#define OPENED(inbox, mailbox, root, calendar) MESSAGES(V2016, "GetFolder", inbox mailbox root calendar)
#define ALL_OPEN               OPENED(GOT, GOT, ROOT, GOT)

/* Turns. */
#define OFFERS(schemes)        { "POST /EWS/Exchange.asmx HTTP/1.1\n!Authorization\n!X-AnchorMailbox\n<m:GetFolder", "401 Unauthorized\n" schemes "\n\nno\r\n", KEEPS }
#define SCHEME(words)          "WWW-Authenticate: " words
#define BOTH                   SCHEME("Negotiate") "\n" SCHEME("NTLM") "\n" SCHEME("Basic realm=\"mail\"")
#define CHALLENGES             { TYPE1 "\nContent-Length: 0", "401 Unauthorized\n" SCHEME("NTLM " TYPE2) "\n\nHTTP Error 401.1 - invalid credentials\r\n", KEEPS }
#define SIGNS_IN(answer)       { TYPE3 "\n<m:GetFolder\nX-AnchorMailbox: ann@birch.example", answer, KEEPS }
#define BY_NTLM(answer)        OFFERS(BOTH), CHALLENGES, SIGNS_IN(answer)
#define REFUSAL                "401 Unauthorized\n" BOTH "\n\nno"

#endif
