// A person with a gloox client, without the person: every offer is accepted.
//
//   peer FOLDER ADDRESS PORT JID CERTIFICATE      the password is the first line of stdin
//
// Then commands, one a line: add JID, receive FOLDER, method METHOD, send JID PATH, say JID TEXT.
// Events go to stdout, each a JSON object on one line; see ../peers.py.
//
// gloox leaves the choice of methods to the program:
//   any      as sender: SOCKS5 (own address, then the server's proxy) and IBB; as receiver: SOCKS5, all stream hosts
//   direct   SOCKS5; only the sender's own stream host is offered, or reached
//   proxy    SOCKS5; only the server's proxy is offered, or reached
//   ibb      IBB only
//   broken   SOCKS5 with a stream host where nobody listens; gloox has no second try by IBB
// What a receiver cannot reach is refused by its own connection class, as a firewall would.
#include <gloox/bytestreamdatahandler.h>
#include <gloox/capabilities.h>
#include <gloox/client.h>
#include <gloox/connectionlistener.h>
#include <gloox/connectiontcpclient.h>
#include <gloox/disco.h>
#include <gloox/discohandler.h>
#include <gloox/error.h>
#include <gloox/inbandbytestream.h>
#include <gloox/message.h>
#include <gloox/messagehandler.h>
#include <gloox/rosterlistener.h>
#include <gloox/rostermanager.h>
#include <gloox/siprofileft.h>
#include <gloox/siprofilefthandler.h>
#include <gloox/socks5bytestream.h>
#include <gloox/socks5bytestreamserver.h>
#include <gloox/tlsdefault.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <poll.h>
#include <unistd.h>

using namespace gloox;

namespace {

const std::string NS_SOCKS5 = "http://jabber.org/protocol/bytestreams";
const std::string ADDRESS = "127.0.0.1";
// gloox's own sizes are 4096, as libpurple's, and no limit to the blocks that wait for their acknowledgement.
const int BLOCK = 32768, WINDOW = 4;

typedef std::chrono::steady_clock Clock;
const auto PATIENCE = std::chrono::milliseconds(200);

typedef std::initializer_list<std::pair<const char*, std::string>> Pairs;

void event(const char* name, Pairs pairs)
{
    std::string line = std::string("{\"event\": \"") + name + "\"";
    for (const auto& pair : pairs) {
        line += std::string(", \"") + pair.first + "\": \"";
        for (unsigned char c : pair.second) {
            char escape[8];
            if (c == '"' || c == '\\')
                line += '\\';
            if (c < 0x20) {
                snprintf(escape, sizeof escape, "\\u%04x", c);
                line += escape;
            } else
                line += static_cast<char>(c);
        }
        line += '"';
    }
    std::cout << line << "}" << std::endl;
}

std::string base_name(const std::string& path)
{
    std::string name = path.substr(path.rfind('/') + 1);
    return name.empty() || name == "." || name == ".." ? "_" : name;
}

// The answer of a SOCKS5 proxy to the question for its address (XEP-0065 section 4).
class ProxyQuery : public StanzaExtension {
public:
    static const int TYPE = ExtUser + 1;
    std::string jid, host;
    int port = 0;

    explicit ProxyQuery(const Tag* tag = nullptr) : StanzaExtension(TYPE)
    {
        const Tag* found = tag ? tag->findChild("streamhost") : nullptr;
        if (!found)
            return;
        jid = found->findAttribute("jid"), host = found->findAttribute("host");
        port = atoi(found->findAttribute("port").c_str());
    }
    const std::string& filterString() const override
    {
        static const std::string filter = "/iq/query[@xmlns='" + NS_SOCKS5 + "']";
        return filter;
    }
    StanzaExtension* newInstance(const Tag* tag) const override { return new ProxyQuery(tag); }
    StanzaExtension* clone() const override { return new ProxyQuery(*this); }
    Tag* tag() const override
    {
        Tag* query = new Tag("query");
        query->setXmlns(NS_SOCKS5);
        return query;
    }
};

// A connection to stream hosts that reaches the proxy, or everybody else, or both; and says what it reached.
class Firewall : public ConnectionTCPClient {
public:
    Firewall(const LogSink& log, const std::string& method, int proxy_port, std::string& used)
        : ConnectionTCPClient(log, EmptyString, 0), m_method(method), m_proxy_port(proxy_port), m_used(used)
    {
    }
    ConnectionError connect() override
    {
        const std::string way = m_port == m_proxy_port ? "proxy" : "direct";
        if (m_method == "broken" || (m_method != "any" && m_method != way))
            return ConnConnectionRefused;
        m_used = way;
        return ConnectionTCPClient::connect();
    }
    ConnectionBase* newInstance() const override
    {
        auto* copy = new Firewall(m_logInstance, m_method, m_proxy_port, m_used);
        copy->setServer(m_server, m_port);
        return copy;
    }

private:
    std::string m_method;
    int m_proxy_port;
    std::string& m_used;
};

// One file on its way.
class Transfer : public BytestreamDataHandler {
public:
    Transfer(const JID& who, const std::string& path, long size, bool sending)
        : m_who(who), m_path(path), m_size(size), m_sending(sending),
          m_file(path, std::ios::binary | (sending ? std::ios::in : std::ios::out | std::ios::trunc))
    {
    }

    std::string used; // the method
    Bytestream* stream = nullptr;

    bool sending() const { return m_sending; }
    bool closed() const { return m_closed; }

    void start(Bytestream* bytestream)
    {
        stream = bytestream, m_start = Clock::now();
        stream->registerBytestreamDataHandler(this);
        if (stream->type() == Bytestream::IBB) {
            used = "ibb";
            static_cast<InBandBytestream*>(stream)->setBlockSize(BLOCK);
        }
    }

    // Some of it comes in or goes out.
    void turn()
    {
        if (stream->type() == Bytestream::S5B && !m_closed)
            for (int i = 0; i < 500 && !m_closed; i++) // gloox reads 1 kB at a time
                if (stream->recv(i == 0 && !m_sending ? 2000 : 0) != ConnNoError)
                    m_closed = true;
        // gloox does not wait for the proxy to be activated. A few bytes would be sent, and the connection closed,
        // before the proxy knows what they are for; over a real network that is rare.
        const bool early = stream->type() == Bytestream::S5B && used != "direct" && Clock::now() < m_start + PATIENCE;
        if (m_sending && stream->isOpen() && !m_closed && !early)
            pump();
    }

    void fail(const Error* error)
    {
        if (error)
            event("error", {{"text", error->text()}, {"condition", std::to_string(error->error())}});
        end("cancelled");
        m_closed = true;
    }

    // The first end counts.
    void end(const char* name)
    {
        if (m_ended)
            return;
        m_ended = true;
        m_file.close();
        event(name, {{"jid", m_who.full()}, {"path", m_path}, {"size", std::to_string(m_size)}, {"method", used}});
    }

    void say_closed() const { event("closed", {{"path", m_path}}); }

    void handleBytestreamData(Bytestream*, const std::string& data) override
    {
        m_file.write(data.data(), static_cast<std::streamsize>(data.size()));
        m_done += static_cast<long>(data.size());
        if (!m_sending && m_done >= m_size)
            end(m_done == m_size ? "received" : "cancelled");
    }
    void handleBytestreamDataAck(Bytestream*) override { m_waiting--; }
    void handleBytestreamError(Bytestream*, const IQ& iq) override { fail(iq.error()); }
    void handleBytestreamOpen(Bytestream*) override {}
    void handleBytestreamClose(Bytestream*) override { m_closed = true; }

private:
    void pump()
    {
        const bool ibb = stream->type() == Bytestream::IBB;
        const int block = ibb ? BLOCK : 65536;
        std::string data(static_cast<size_t>(block), '\0');
        while (m_done < m_size && (!ibb || m_waiting < WINDOW)) {
            m_file.read(&data[0], block);
            data.resize(static_cast<size_t>(m_file.gcount()));
            m_waiting++;
            if (data.empty() || !stream->send(data)) {
                m_closed = true;
                return;
            }
            m_done += static_cast<long>(data.size());
            if (!ibb)
                break; // somebody else may have something to say
        }
        if (m_done == m_size && (!ibb || m_waiting <= 0)) {
            end("sent");
            m_closed = true;
        }
    }

    JID m_who;
    std::string m_path;
    Clock::time_point m_start;
    long m_size, m_done = 0;
    int m_waiting = 0;
    bool m_sending, m_closed = false, m_ended = false;
    std::fstream m_file;
};

class Peer : public ConnectionListener,
             public RosterListener,
             public MessageHandler,
             public DiscoHandler,
             public IqHandler,
             public SIProfileFTHandler {
public:
    Peer(const JID& jid, const std::string& password, int port, const std::string& certificate,
         const std::string& folder)
        : m_client(jid, password, port), m_folder(folder)
    {
        m_client.setServer(ADDRESS);
        m_client.setTls(TLSRequired);
        // Client::setCACerts comes too late for the object that Client made for itself.
        auto* tls = new TLSDefault(&m_client, jid.server());
        tls->init();
        tls->setCACerts(StringList{certificate});
        m_client.setEncryptionImpl(tls);
        m_client.registerConnectionListener(this);
        m_client.registerMessageHandler(this);
        m_client.registerStanzaExtension(new ProxyQuery);
        m_client.rosterManager()->registerRosterListener(this, true);
        m_client.disco()->setIdentity("client", "pc", "gloox");
        m_server = new SOCKS5BytestreamServer(m_client.logInstance(), 0, ADDRESS);
        m_profile = new SIProfileFT(&m_client, this);
        m_profile->registerSOCKS5BytestreamServer(m_server);
        m_client.presence().addExtension(new Capabilities(m_client.disco()));
        if (m_server->listen() != ConnNoError)
            event("error", {{"text", "no listener"}});
    }

    bool connect() { return m_client.connect(false); }
    bool running() const { return m_running; }

    // One turn: whoever has something for us is heard, and some of each file goes out.
    void turn()
    {
        m_client.recv(m_streams ? 0 : m_transfers.empty() ? 20000 : 1000);
        for (int i = 0; i < 100; i++) // gloox reads 1 kB at a time
            m_client.recv(0);
        m_server->recv(0);
        m_streams = false;
        for (auto next = m_transfers.begin(); next != m_transfers.end();) {
            Transfer& transfer = *next->second;
            if (transfer.stream && !transfer.closed()) {
                m_streams = m_streams || transfer.stream->type() == Bytestream::S5B;
                transfer.turn();
            }
            if (!transfer.closed()) {
                ++next;
                continue;
            }
            transfer.end("cancelled"); // unless it is said already how it went
            if (transfer.stream)
                m_profile->dispose(transfer.stream);
            transfer.say_closed();
            next = m_transfers.erase(next);
        }
    }

    void obey(const std::string& line)
    {
        const size_t space = line.find(' ');
        const std::string word = line.substr(0, space), rest = space < line.size() ? line.substr(space + 1) : "";
        const size_t middle = rest.find(' ');
        const std::string jid = rest.substr(0, middle), last = middle < rest.size() ? rest.substr(middle + 1) : "";
        if (word == "add")
            m_client.rosterManager()->subscribe(JID(rest));
        else if (word == "receive")
            m_folder = rest;
        else if (word == "method")
            event("method", {{"method", m_method = rest}});
        else if (word == "send" && !last.empty())
            send(jid, last);
        else if (word == "say" && !last.empty())
            m_client.send(Message(Message::Chat, JID(jid), last));
        else
            event("error", {{"text", line}});
    }

    // --- connection and contacts

    void onConnect() override
    {
        event("online", {{"jid", m_client.jid().full()}});
        m_client.disco()->getDiscoItems(JID(m_client.jid().server()), EmptyString, this, 0);
    }
    void onDisconnect(ConnectionError error) override
    {
        m_running = false;
        event("disconnected", {{"text", std::to_string(error)}});
    }
    bool onTLSConnect(const CertInfo& info) override
    {
        if (info.status != CertOk)
            event("error", {{"text", "certificate status " + std::to_string(info.status)}});
        return info.status == CertOk;
    }
    bool handleSubscriptionRequest(const JID&, const std::string&) override { return true; }
    void handleRosterPresence(const RosterItem& item, const std::string& resource, Presence::PresenceType type,
                              const std::string&) override
    {
        if (type > Presence::XA)
            return;
        const JID jid(item.jidJID().full() + "/" + resource);
        if (m_resources[item.jidJID().full()] == jid)
            return;
        m_resources[item.jidJID().full()] = jid;
        event("contact", {{"jid", jid.bare()}});
    }
    void handleMessage(const Message& message, MessageSession*) override
    {
        if (!message.body().empty())
            event("message", {{"jid", message.from().full()}, {"body", message.body()}});
    }

    // --- the server's proxy

    void handleDiscoItems(const JID&, const Disco::Items& items, int) override
    {
        for (const auto* item : items.items())
            m_client.disco()->getDiscoInfo(item->jid(), EmptyString, this, 0);
    }
    void handleDiscoInfo(const JID& from, const Disco::Info& info, int) override
    {
        if (!info.hasFeature(NS_SOCKS5))
            return;
        IQ question(IQ::Get, from, m_client.getID());
        question.addExtension(new ProxyQuery);
        m_client.send(question, this, 0);
    }
    void handleIqID(const IQ& answer, int) override
    {
        const auto* query = answer.findExtension<ProxyQuery>(ProxyQuery::TYPE);
        if (answer.subtype() != IQ::Result || !query || !query->port)
            return;
        m_proxy = StreamHost{JID(query->jid), query->host, query->port};
        event("proxy", {{"jid", query->jid}});
    }

    // --- file transfers

    void handleFTRequest(const JID& from, const JID&, const std::string& sid, const std::string& name, long size,
                         const std::string&, const std::string&, const std::string&, const std::string&,
                         int types) override
    {
        const bool ibb = m_method == "ibb" || !(types & SIProfileFT::FTTypeS5B);
        event("offered", {{"jid", from.full()}, {"name", name}, {"size", std::to_string(size)}});
        m_transfers[sid].reset(new Transfer(from, m_folder + "/" + base_name(name), size, false));
        m_profile->acceptFT(from, sid, ibb ? SIProfileFT::FTTypeIBB : SIProfileFT::FTTypeS5B);
    }
    void handleFTRequestError(const IQ& iq, const std::string& sid) override
    {
        if (m_transfers.count(sid))
            m_transfers[sid]->fail(iq.error());
    }
    void handleFTBytestream(Bytestream* stream) override
    {
        const auto found = m_transfers.find(stream->sid());
        if (found == m_transfers.end())
            return m_profile->cancel(stream);
        Transfer& transfer = *found->second;
        transfer.start(stream);
        if (stream->type() == Bytestream::S5B && !transfer.sending())
            static_cast<SOCKS5Bytestream*>(stream)->setConnectionImpl(
                new Firewall(m_client.logInstance(), m_method, m_proxy.port, transfer.used));
        if (!stream->connect()) {
            m_profile->cancel(stream);
            transfer.stream = nullptr;
            transfer.fail(nullptr);
        }
    }
    const std::string handleOOBRequestResult(const JID&, const JID&, const std::string&) override
    {
        return EmptyString;
    }
    // --- nothing to do

    void handleItemAdded(const JID&) override {}
    void handleItemSubscribed(const JID&) override {}
    void handleItemRemoved(const JID&) override {}
    void handleItemUpdated(const JID&) override {}
    void handleItemUnsubscribed(const JID&) override {}
    void handleRoster(const Roster&) override {}
    void handleSelfPresence(const RosterItem&, const std::string&, Presence::PresenceType,
                            const std::string&) override {}
    bool handleUnsubscriptionRequest(const JID&, const std::string&) override { return true; }
    void handleNonrosterPresence(const Presence&) override {}
    void handleRosterError(const IQ&) override {}
    void handleDiscoError(const JID&, const Error*, int) override {}
    bool handleIq(const IQ&) override { return false; }

private:
    void send(const std::string& to, const std::string& path)
    {
        const auto known = m_resources.find(to);
        const JID jid = known == m_resources.end() ? JID(to) : known->second;
        std::ifstream file(path, std::ios::binary | std::ios::ate);
        const long size = static_cast<long>(file.tellg());
        StreamHostList hosts;
        if (m_method == "broken")
            hosts.push_back(StreamHost{m_client.jid(), ADDRESS, 1});
        if (m_method == "direct" || m_method == "any")
            hosts.push_back(StreamHost{m_client.jid(), ADDRESS, m_server->localPort()});
        if ((m_method == "proxy" || m_method == "any") && m_proxy.port)
            hosts.push_back(m_proxy);
        m_profile->setStreamHosts(hosts);
        const int types = m_method == "ibb"   ? SIProfileFT::FTTypeIBB
                          : m_method == "any" ? SIProfileFT::FTTypeS5B | SIProfileFT::FTTypeIBB
                                              : SIProfileFT::FTTypeS5B;
        std::unique_ptr<Transfer> transfer(new Transfer(jid, path, size, true));
        transfer->used = m_method == "any" ? "socks5" : m_method;
        const std::string sid = m_profile->requestFT(jid, base_name(path), size, EmptyString, EmptyString,
                                                     EmptyString, EmptyString, types);
        if (sid.empty()) {
            event("error", {{"text", "gloox offers no empty files"}});
            transfer->end("cancelled");
        } else
            m_transfers[sid] = std::move(transfer);
    }

    Client m_client;
    SOCKS5BytestreamServer* m_server;
    SIProfileFT* m_profile;
    bool m_running = true, m_streams = false; // SOCKS5 streams, that is
    std::map<std::string, JID> m_resources; // of contacts, by their bare JIDs
    StreamHost m_proxy{JID(), "", 0};
    std::string m_method = "any", m_folder;
    std::map<std::string, std::unique_ptr<Transfer>> m_transfers; // by sid
};

} // namespace

int main(int count, char** words)
{
    std::string password, buffer;
    if (count != 6) {
        std::cerr << "usage: peer FOLDER ADDRESS PORT JID CERTIFICATE" << std::endl;
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    // Byte by byte: what follows the line is for later.
    for (char c; read(0, &c, 1) == 1 && c != '\n';)
        password += c;
    Peer peer(JID(words[4]), password, atoi(words[3]), words[5], words[1]);
    if (!peer.connect())
        return 1;
    while (peer.running()) {
        peer.turn();
        pollfd input{0, POLLIN, 0};
        if (poll(&input, 1, 0) <= 0)
            continue;
        char some[4096];
        const ssize_t got = read(0, some, sizeof some);
        if (got <= 0)
            break; // whoever started us is gone
        buffer.append(some, static_cast<size_t>(got));
        for (size_t end; (end = buffer.find('\n')) != std::string::npos; buffer.erase(0, end + 1))
            peer.obey(buffer.substr(0, end));
    }
    _exit(0); // no farewell: the end is to be quick
}
