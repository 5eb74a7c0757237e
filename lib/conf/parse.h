#ifndef _yy_defines_h_
#define _yy_defines_h_

#define ACCEPT 257
#define ADDRESS 258
#define AFTER 259
#define ALIAS 260
#define ALIASES 261
#define ANY 262
#define ARCHIVE 263
#define AS 264
#define AUTH 265
#define AUTHENTICATED 266
#define BAD 267
#define BANNER 268
#define BOUNCE 269
#define CATCHALL 270
#define CERT 271
#define DELAY 272
#define DELIVER 273
#define DKIM 274
#define DMARC 275
#define DNSBL 276
#define DOMAIN 277
#define EVERY 278
#define EXPECT 279
#define EXPIRE 280
#define FAILURE 281
#define FETCH 282
#define FILENAME 283
#define FILTER 284
#define FROM 285
#define FULL 286
#define HELO 287
#define HOSTNAME 288
#define IMAP 289
#define IMAPS 290
#define INCLUDE 291
#define JSON 292
#define KEY 293
#define LDAP 294
#define LIFETIME 295
#define LIMIT 296
#define LISTEN 297
#define LMTP 298
#define LOCAL 299
#define LOG 300
#define LOGIN 301
#define MAILBOX 302
#define MAILDIR 303
#define MALFORMED 304
#define MARK 305
#define MASQUERADE 306
#define MBOX 307
#define MEMORY 308
#define MESSAGE 309
#define MILTER 310
#define NETWORK 311
#define NO 312
#define ON 313
#define ORIGIN 314
#define OURS 315
#define PER 316
#define PERMIT 317
#define PGSQL 318
#define PIPE 319
#define PLAINTEXT 320
#define POP3 321
#define POP3S 322
#define PORT 323
#define POSTMASTER 324
#define PROXY 325
#define QUERY 326
#define QUEUE 327
#define QUOTA 328
#define RATE 329
#define RDNS 330
#define RECIPIENT 331
#define RECIPIENTS 332
#define REJECT 333
#define RELAY 334
#define REQUIRE 335
#define RETRY 336
#define SANDBOX 337
#define SELECTOR 338
#define SENDER 339
#define SESSIONS 340
#define SIEVE 341
#define SIGN 342
#define SMTP 343
#define SMTPS 344
#define SOURCE 345
#define SPECIAL 346
#define SPF 347
#define SPOOL 348
#define SQLITE 349
#define STATE 350
#define STDERR 351
#define SUBMISSION 352
#define SYSLOG 353
#define SYSTEM 354
#define TABLE 355
#define TAG 356
#define TEMPFAIL 357
#define TEST 358
#define TLS 359
#define TO 360
#define UIDL 361
#define UNKNOWN 362
#define UNSAFE 363
#define USER 364
#define USERS 365
#define VERIFY 366
#define VIA 367
#define WARN 368
#define STRING 369
#ifdef YYSTYPE
#undef  YYSTYPE_IS_DECLARED
#define YYSTYPE_IS_DECLARED 1
#endif
#ifndef YYSTYPE_IS_DECLARED
#define YYSTYPE_IS_DECLARED 1
typedef union YYSTYPE {
	struct word	*word;
	struct list	*list;
	struct set	*set;
	int		 num;
} YYSTYPE;
#endif /* !YYSTYPE_IS_DECLARED */
extern YYSTYPE yylval;

#endif /* _yy_defines_h_ */
