-- Makes an archive like that of servers whose live messages carry no id of it (Openfire): the ids in the
-- archive stay, those on live messages go, and the feature is not announced.

local filters = require "util.filters";
local jid_bare = require "util.jid".bare;

local xmlns = "urn:xmpp:sid:0";

local function without_feature(event)
	local reply = event.reply or event.stanza;
	local query = reply:get_child("query", "http://jabber.org/protocol/disco#info") or reply;
	query:maptags(function (tag)
		if tag.name == "feature" and tag.attr.var == xmlns then return nil; end
		return tag;
	end);
end

local function without_ids_of(stanza, archive)
	stanza:maptags(function (tag)
		if tag.name == "stanza-id" and tag.attr.xmlns == xmlns and tag.attr.by == archive then return nil; end
		return tag;
	end);
	return stanza;
end

module:hook("account-disco-info", without_feature, -1000);
module:hook("muc-disco#info", without_feature, -1000);

if module:get_host_type() == "component" then
	module:hook("muc-broadcast-message", function (event)
		without_ids_of(event.stanza, event.room.jid);
	end, -1000);
else
	filters.add_filter_hook(function (session)
		filters.add_filter(session, "stanzas/out", function (stanza)
			if stanza.name == "message" and stanza.attr.to then
				return without_ids_of(stanza, jid_bare(stanza.attr.to));
			end
			return stanza;
		end, 1000);
	end);
end
