/* A person with a libpurple client (Pidgin, Finch), without the person: every offer is accepted.
 *
 *   peer FOLDER ADDRESS PORT JID CERTIFICATE      the password is the first line of stdin
 *
 * Then commands, one a line:
 *   add JID            ask for a subscription; those of others are granted unasked
 *   receive FOLDER     where accepted files go
 *   method METHOD      any | direct | proxy | ibb | broken; see below
 *   send JID PATH      offer a file
 *   say JID TEXT       write a message
 * Events go to stdout, each a JSON object on one line; see ../peers.py.
 *
 * libpurple lets nobody choose a method: it offers SOCKS5 and IBB, its own addresses before the server's proxy, and
 * takes IBB if no stream host works (libpurple/protocols/jabber/si.c). What decides in real life is the network. Here
 * stanzas are cut on their way (the prpl's signals "jabber-sending-xmlnode" and "jabber-receiving-xmlnode"), so that
 * libpurple or its partner sees what it would see behind a firewall, and everything else is libpurple's own doing:
 *   direct   stream hosts other than the sender itself are taken out
 *   proxy    the sender's own stream hosts are taken out
 *   ibb      "bytestreams" is taken out of the choice of methods
 *   broken   stream hosts are replaced by one where nobody listens: SOCKS5 fails, IBB on the same sid follows
 */
#include <glib.h>
#include <purple.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define UI "interop-peer"
#define NS_SOCKS5 "http://jabber.org/protocol/bytestreams"
#define NS_IBB "http://jabber.org/protocol/ibb"
#define NS_SI "http://jabber.org/protocol/si"
#define NS_NEG "http://jabber.org/protocol/feature-neg"

static PurpleAccount *account;
static char *folder_for_files;
static char *method;           /* that is allowed */
static const char *used = "";  /* that the latest transfer used: one at a time is all that the tests need */

/* --- events -------------------------------------------------------------------------------- */

/* Name and value pairs, ended by NULL. */
static void event(const char *name, ...)
{
    va_list pairs;
    const char *key;
    printf("{\"event\": \"%s\"", name);
    va_start(pairs, name);
    while ((key = va_arg(pairs, const char *)) != NULL) {
        const char *value = va_arg(pairs, const char *);
        printf(", \"%s\": \"", key);
        for (; value != NULL && *value; value++) {
            unsigned char c = (unsigned char)*value;
            if (c == '"' || c == '\\')
                printf("\\%c", c);
            else if (c < 0x20)
                printf("\\u%04x", c);
            else
                putchar(c);
        }
        putchar('"');
    }
    va_end(pairs);
    printf("}\n");
    fflush(stdout);
}

/* --- what is cut out of stanzas ------------------------------------------------------------ */

static void remove_child(xmlnode *child)
{
    xmlnode_free(child); /* takes itself off its parent */
}

static void cut_stream_hosts(xmlnode *query, const char *sender)
{
    xmlnode *host = xmlnode_get_child(query, "streamhost"), *next;
    gboolean any = host != NULL;
    for (; host != NULL; host = next) {
        const char *jid = xmlnode_get_attrib(host, "jid");
        gboolean own = jid != NULL && strcmp(jid, sender) == 0;
        next = xmlnode_get_next_twin(host);
        if (strcmp(method, "broken") == 0 || (strcmp(method, "direct") == 0 && !own) ||
            (strcmp(method, "proxy") == 0 && own))
            remove_child(host);
    }
    if (any && strcmp(method, "broken") == 0) {
        host = xmlnode_new_child(query, "streamhost");
        xmlnode_set_attrib(host, "jid", sender);
        xmlnode_set_attrib(host, "host", "127.0.0.1");
        xmlnode_set_attrib(host, "port", "1");
    }
}

static void cut_methods(xmlnode *si)
{
    xmlnode *node = xmlnode_get_child_with_namespace(si, "feature", NS_NEG), *option, *next;
    if (strcmp(method, "ibb") != 0 || node == NULL || (node = xmlnode_get_child(node, "x")) == NULL ||
        (node = xmlnode_get_child(node, "field")) == NULL)
        return;
    for (option = xmlnode_get_child(node, "option"); option != NULL; option = next) {
        xmlnode *value = xmlnode_get_child(option, "value");
        char *text = value != NULL ? xmlnode_get_data(value) : NULL;
        next = xmlnode_get_next_twin(option);
        if (text != NULL && strcmp(text, NS_SOCKS5) == 0)
            remove_child(option);
        g_free(text);
    }
}

static void look_at(xmlnode *stanza, const char *sender)
{
    xmlnode *node;
    if (strcmp(stanza->name, "iq") != 0)
        return;
    if ((node = xmlnode_get_child_with_namespace(stanza, "si", NS_SI)) != NULL)
        cut_methods(node);
    if (xmlnode_get_child_with_namespace(stanza, "open", NS_IBB) != NULL)
        used = "ibb";
    if ((node = xmlnode_get_child_with_namespace(stanza, "query", NS_SOCKS5)) != NULL) {
        xmlnode *host = xmlnode_get_child(node, "streamhost-used");
        if (xmlnode_get_attrib(node, "sid") != NULL)
            cut_stream_hosts(node, sender);
        else if ((host = xmlnode_get_child(node, "streamhost")) != NULL)
            event("proxy", "jid", xmlnode_get_attrib(host, "jid"), NULL);
        if ((host = xmlnode_get_child(node, "streamhost-used")) != NULL) {
            /* It is the one who offered who reads this. */
            const char *chosen = xmlnode_get_attrib(host, "jid");
            const char *to = xmlnode_get_attrib(stanza, "to");
            used = chosen != NULL && to != NULL && strcmp(chosen, to) == 0 ? "direct" : "proxy";
        }
    }
}

static void own_jid(char *jid, size_t size)
{
    PurpleConnection *connection = purple_account_get_connection(account);
    g_snprintf(jid, size, "%s", connection != NULL ? purple_connection_get_display_name(connection) : "");
}

static void sending(PurpleConnection *connection, xmlnode **stanza, gpointer unused)
{
    char jid[1024];
    (void)connection, (void)unused;
    own_jid(jid, sizeof jid);
    if (*stanza != NULL)
        look_at(*stanza, jid);
}

static void receiving(PurpleConnection *connection, xmlnode **stanza, gpointer unused)
{
    const char *from;
    (void)connection, (void)unused;
    if (*stanza != NULL && (from = xmlnode_get_attrib(*stanza, "from")) != NULL)
        look_at(*stanza, from);
}

/* --- file transfers ------------------------------------------------------------------------ */

struct ended {
    const char *name;
    char *who, *path, *size;
};

static gboolean say_ended(gpointer data)
{
    struct ended *what = data;
    event(what->name, "jid", what->who, "path", what->path, "size", what->size, "method", used, NULL);
    g_free(what->who), g_free(what->path), g_free(what->size), g_free(what);
    return FALSE;
}

/* Said from the main loop: at the signal "complete" the file is not closed yet. */
static void ended(PurpleXfer *xfer, gpointer name)
{
    struct ended *what = g_new0(struct ended, 1);
    what->name = name;
    what->who = g_strdup(xfer->who);
    what->path = g_strdup(purple_xfer_get_local_filename(xfer));
    what->size = g_strdup_printf("%" G_GSIZE_FORMAT, purple_xfer_get_size(xfer));
    g_idle_add(say_ended, what);
}

/* libpurple does not wait for the proxy to be activated (its own TODO in si.c). A few bytes would be sent, and the
 * connection closed, before the proxy knows what they are for; over a real network that is rare. */
static void starting(PurpleXfer *xfer, gpointer unused)
{
    (void)xfer, (void)unused;
    if (strcmp(used, "proxy") == 0)
        g_usleep(200 * 1000);
}

static void offered(PurpleXfer *xfer, gpointer unused)
{
    /* The name may be anything: for the path it is made harmless. */
    char *name = g_path_get_basename(purple_xfer_get_filename(xfer));
    char *path = g_build_filename(folder_for_files, name, NULL);
    char *size = g_strdup_printf("%" G_GSIZE_FORMAT, purple_xfer_get_size(xfer));
    (void)unused;
    used = "";
    event("offered", "jid", xfer->who, "name", purple_xfer_get_filename(xfer), "size", size, NULL);
    purple_xfer_request_accepted(xfer, path);
    g_free(name), g_free(path), g_free(size);
}

/* --- people -------------------------------------------------------------------------------- */

static void *asked_for_subscription(PurpleAccount *whose, const char *who, const char *id, const char *alias,
                                    const char *message, gboolean on_list,
                                    PurpleAccountRequestAuthorizationCb grant,
                                    PurpleAccountRequestAuthorizationCb deny, void *data)
{
    (void)whose, (void)who, (void)id, (void)alias, (void)message, (void)on_list, (void)deny;
    grant(data);
    return NULL;
}

static void add(const char *jid)
{
    PurpleBuddy *buddy = purple_buddy_new(account, jid, NULL);
    purple_blist_add_buddy(buddy, NULL, NULL, NULL);
    purple_account_add_buddy(account, buddy);
}

static void contact_came(PurpleBuddy *buddy, gpointer unused)
{
    (void)unused;
    event("contact", "jid", purple_buddy_get_name(buddy), NULL);
}

static void message_came(PurpleAccount *whose, char *who, char *html, PurpleConversation *conversation, int flags,
                         gpointer unused)
{
    char *plain = purple_markup_strip_html(html);
    (void)whose, (void)conversation, (void)flags, (void)unused;
    event("message", "jid", who, "body", plain, NULL);
    g_free(plain);
}

static void say(PurpleConnection *connection, const char *jid, const char *text)
{
    char *html = g_markup_escape_text(text, -1);
    serv_send_im(connection, jid, html, 0);
    g_free(html);
}

/* --- what a user interface does ------------------------------------------------------------ */

static void *notify_message(PurpleNotifyMsgType type, const char *title, const char *primary, const char *secondary)
{
    (void)type, (void)title;
    event("error", "text", secondary != NULL ? secondary : primary, NULL);
    return NULL;
}

static void signed_on(PurpleConnection *connection, gpointer unused)
{
    (void)unused;
    event("online", "jid", purple_connection_get_display_name(connection), NULL);
}

static void connection_failed(PurpleConnection *connection, PurpleConnectionError reason, const char *text,
                              gpointer unused)
{
    (void)connection, (void)reason, (void)unused;
    event("disconnected", "text", text, NULL);
}

struct watch {
    PurpleInputFunction function;
    gpointer data;
};

static gboolean ready(GIOChannel *channel, GIOCondition condition, gpointer data)
{
    struct watch *watch = data;
    PurpleInputCondition what = 0;
    if (condition & (G_IO_IN | G_IO_HUP | G_IO_ERR))
        what |= PURPLE_INPUT_READ;
    if (condition & (G_IO_OUT | G_IO_HUP | G_IO_ERR | G_IO_NVAL))
        what |= PURPLE_INPUT_WRITE;
    watch->function(watch->data, g_io_channel_unix_get_fd(channel), what);
    return TRUE;
}

static guint watch_fd(int fd, PurpleInputCondition what, PurpleInputFunction function, gpointer data)
{
    struct watch *watch = g_new0(struct watch, 1);
    GIOChannel *channel = g_io_channel_unix_new(fd);
    GIOCondition condition = G_IO_HUP | G_IO_ERR;
    guint id;
    watch->function = function, watch->data = data;
    if (what & PURPLE_INPUT_READ)
        condition |= G_IO_IN;
    if (what & PURPLE_INPUT_WRITE)
        condition |= G_IO_OUT | G_IO_NVAL;
    id = g_io_add_watch_full(channel, G_PRIORITY_DEFAULT, condition, ready, watch, g_free);
    g_io_channel_unref(channel);
    return id;
}

static PurpleEventLoopUiOps loop_ops = {.timeout_add = g_timeout_add,
                                        .timeout_remove = g_source_remove,
                                        .input_add = watch_fd,
                                        .input_remove = g_source_remove,
                                        .timeout_add_seconds = g_timeout_add_seconds};
static PurpleNotifyUiOps notify_ops = {.notify_message = notify_message};
static PurpleAccountUiOps account_ops = {.request_authorize = asked_for_subscription};

/* Before anything asks the network: our address is said, no STUN, UPnP or NAT-PMP. */
static void set_preferences(void)
{
    purple_prefs_add_none("/purple");
    purple_prefs_add_none("/purple/network");
    purple_prefs_add_bool("/purple/network/auto_ip", FALSE);
    purple_prefs_add_bool("/purple/network/map_ports", FALSE);
    purple_prefs_add_string("/purple/network/public_ip", "127.0.0.1");
}

static void set_ui_ops(void)
{
    purple_notify_set_ui_ops(&notify_ops);
    purple_accounts_set_ui_ops(&account_ops);
}

static PurpleCoreUiOps core_ops = {.ui_prefs_init = set_preferences, .ui_init = set_ui_ops};

static int handle; /* its address stands for us as the owner of signal handlers */

static void connect_signals(void)
{
    void *connections = purple_connections_get_handle(), *xfers = purple_xfers_get_handle();
    void *prpl = purple_find_prpl("prpl-jabber");
    purple_signal_connect(connections, "signed-on", &handle, PURPLE_CALLBACK(signed_on), NULL);
    purple_signal_connect(connections, "connection-error", &handle, PURPLE_CALLBACK(connection_failed), NULL);
    purple_signal_connect(purple_blist_get_handle(), "buddy-signed-on", &handle, PURPLE_CALLBACK(contact_came), NULL);
    purple_signal_connect(purple_conversations_get_handle(), "received-im-msg", &handle,
                          PURPLE_CALLBACK(message_came), NULL);
    purple_signal_connect(xfers, "file-recv-request", &handle, PURPLE_CALLBACK(offered), NULL);
    purple_signal_connect(xfers, "file-send-start", &handle, PURPLE_CALLBACK(starting), NULL);
    purple_signal_connect(xfers, "file-recv-complete", &handle, PURPLE_CALLBACK(ended), "received");
    purple_signal_connect(xfers, "file-send-complete", &handle, PURPLE_CALLBACK(ended), "sent");
    purple_signal_connect(xfers, "file-recv-cancel", &handle, PURPLE_CALLBACK(ended), "cancelled");
    purple_signal_connect(xfers, "file-send-cancel", &handle, PURPLE_CALLBACK(ended), "cancelled");
    /* Before libpurple's own handler, which writes the stanza and takes it away. */
    purple_signal_connect_priority(prpl, "jabber-sending-xmlnode", &handle, PURPLE_CALLBACK(sending), NULL, -9999);
    purple_signal_connect(prpl, "jabber-receiving-xmlnode", &handle, PURPLE_CALLBACK(receiving), NULL);
}

/* --- commands ------------------------------------------------------------------------------ */

static void obey(char *line)
{
    PurpleConnection *connection = purple_account_get_connection(account);
    char **words = g_strsplit(line, " ", 2), *rest = words[0] != NULL ? words[1] : NULL;
    char **pair = g_strsplit(rest != NULL ? rest : "", " ", 2);
    gboolean two = pair[0] != NULL && pair[1] != NULL;
    if (rest == NULL)
        event("error", "text", line, NULL);
    else if (strcmp(words[0], "add") == 0)
        add(rest);
    else if (strcmp(words[0], "receive") == 0)
        g_free(folder_for_files), folder_for_files = g_strdup(rest);
    else if (strcmp(words[0], "method") == 0)
        g_free(method), method = g_strdup(rest), event("method", "method", method, NULL);
    else if (strcmp(words[0], "send") == 0 && two)
        used = "", serv_send_file(connection, pair[0], pair[1]);
    else if (strcmp(words[0], "say") == 0 && two)
        say(connection, pair[0], pair[1]);
    else
        event("error", "text", line, NULL);
    g_strfreev(words), g_strfreev(pair);
}

static gboolean command_came(GIOChannel *input, GIOCondition condition, gpointer loop)
{
    char *line = NULL;
    (void)condition;
    if (g_io_channel_read_line(input, &line, NULL, NULL, NULL) != G_IO_STATUS_NORMAL) {
        g_main_loop_quit(loop); /* whoever started us is gone */
        return FALSE;
    }
    obey(g_strchomp(line));
    g_free(line);
    return TRUE;
}

/* Certificates that were once accepted lie here, by name; ours stands for "the person said yes". */
static void trust(const char *folder, const char *name, const char *certificate)
{
    char *directory = g_build_filename(folder, "certificates", "x509", "tls_peers", NULL);
    char *path = g_build_filename(directory, name, NULL), *pem = NULL;
    gsize length = 0;
    g_mkdir_with_parents(directory, 0700);
    if (!g_file_get_contents(certificate, &pem, &length, NULL) || !g_file_set_contents(path, pem, length, NULL))
        event("error", "text", certificate, NULL);
    g_free(directory), g_free(path), g_free(pem);
}

int main(int count, char **words)
{
    GMainLoop *loop = g_main_loop_new(NULL, FALSE);
    GIOChannel *input = g_io_channel_unix_new(0);
    PurpleProxyInfo *no_proxy;
    char *password = NULL;
    if (count != 6) {
        fprintf(stderr, "usage: peer FOLDER ADDRESS PORT JID CERTIFICATE\n");
        return 2;
    }
    signal(SIGCHLD, SIG_IGN); /* libpurple forks for DNS and does not wait for it */
    signal(SIGPIPE, SIG_IGN);
    method = g_strdup("any"), folder_for_files = g_strdup(words[1]);
    trust(words[1], words[2], words[5]);

    purple_util_set_user_dir(words[1]);
    purple_debug_set_enabled(g_getenv("PEER_DEBUG") != NULL);
    purple_core_set_ui_ops(&core_ops);
    purple_eventloop_set_ui_ops(&loop_ops);
    if (!purple_core_init(UI)) {
        fprintf(stderr, "libpurple did not start\n");
        return 1;
    }
    purple_set_blist(purple_blist_new());

    account = purple_account_new(words[4], "prpl-jabber");
    g_io_channel_read_line(input, &password, NULL, NULL, NULL);
    purple_account_set_password(account, password != NULL ? g_strchomp(password) : "");
    purple_account_set_string(account, "connect_server", words[2]);
    purple_account_set_int(account, "port", atoi(words[3]));
    purple_account_set_string(account, "connection_security", "require_tls");
    no_proxy = purple_proxy_info_new();
    purple_proxy_info_set_type(no_proxy, PURPLE_PROXY_NONE); /* whatever the environment says */
    purple_account_set_proxy_info(account, no_proxy);
    purple_accounts_add(account);
    connect_signals();
    purple_account_set_enabled(account, UI, TRUE);
    purple_savedstatus_activate(purple_savedstatus_new(NULL, PURPLE_STATUS_AVAILABLE));

    g_io_add_watch(input, G_IO_IN | G_IO_HUP, command_came, loop);
    g_main_loop_run(loop);
    /* No purple_core_quit: the end is to be quick, and nothing is to be kept. */
    return 0;
}
