-- The three vendors as the benchmark needs them: known answers at once, and a count of each call.
-- A contact is whatever number its externalId ends in, so that requests side by side have contacts
-- of their own. benchmarks/upstream.py fills in the lists of names.

local counted = ngx.shared.calls
local lists = require "lists"

local IVVY_ROW = '{"meta":{"totalResults":1,"start":0,"perPage":100,"count":1},"results":[{'
  .. '"id":4%s,"externalId":"E-%s","firstName":"Former","lastName":"Name","email":"e%s@example.com",'
  .. '"phone":"+44 7700 900101","customFields":[{"fieldId":501,"displayName":"Shift","value":"1"},'
  .. '{"fieldId":502,"displayName":"Dietary","value":[""]},'
  .. '{"fieldId":504,"displayName":"Badge number","value":1815},'
  .. '{"fieldId":505,"displayName":"Notes","value":""}],'
  .. '"groups":[{"contactId":4%s,"groupId":301,"joinDate":"2026-01-05 09:00:00"}],"companies":[]}]}'

local EVERBRIDGE_PAGE = '{"message":"OK","page":{"pageSize":100,"start":0,"currentPageNo":1,'
  .. '"totalPageCount":1,"totalCount":%d,"data":[%s]}}'

local EVERBRIDGE_ROW = '{"organizationId":1000000000000001,"status":"A",'
  .. '"createdDate":1767603600000,"createdId":1700000000000001,"createdName":"seed",'
  .. '"lastModifiedDate":1767690000000,"lastModifiedId":1700000000000001,"lastModifiedName":"seed",'
  .. '"id":13%s,"externalId":"E-%s","firstName":"Former","lastName":"Name","country":"GB",'
  .. '"recordTypeId":1100000000000002,"timezoneId":"Europe/London","businessName":"Analytical Engines",'
  .. '"preferredLanguage":"en_GB","uploadProcessing":false,"paths":['
  .. '{"pathId":241901148045319,"value":"7700900101","countryCode":"GB","waitTime":0,'
  .. '"skipValidation":false,"pathEnable":true,"status":"A"},'
  .. '{"pathId":241901148045316,"value":"e%s@example.com","waitTime":0,"skipValidation":false,'
  .. '"pathEnable":true,"status":"A"}],'
  .. '"address":[{"locationName":"Primary","streetAddress":"12 St James Square","city":"London",'
  .. '"country":"GB","postalCode":"SW1Y 4JH"}],'
  .. '"contactAttributes":[{"orgAttrId":1400000000000001,"name":"Shift","values":["Day"]},'
  .. '{"orgAttrId":1400000000000002,"name":"Badge number","values":["1815"]}],'
  .. '"groups":[1200000000000009]}'

local function say(kind, body, status)
  counted:incr(kind, 1, 0)
  ngx.status = status or 200
  ngx.header.content_length = #body
  ngx.print(body)
end

local function ivvy(action)
  ngx.req.read_body()
  local body = ngx.req.get_body_data() or ""
  if action == "getContactList" then
    local n = body:match('"externalId":%s?"E%-(%d+)"')
    return say("ivvy find", IVVY_ROW:format(n, n, n, n))
  elseif action == "addOrUpdateContact" then
    return say("ivvy write", '{"id":' .. (body:match('"id":%s?(%d+)') or "0") .. '}')
  end
  return say("ivvy names", lists.ivvy[action])
end

local function everbridge(path, method)
  if path:sub(1, 10) ~= "/contacts/" then
    return say("everbridge names", lists.everbridge[path:match("^/(%a+)")])
  elseif method == "GET" then
    -- Look-ups that leave together repeat the key; the answer has a row for each.
    local rows = {}
    for n in ngx.var.args:gmatch("externalIds=E%-(%d+)") do
      rows[#rows + 1] = EVERBRIDGE_ROW:format(n, n, n)
    end
    return say("everbridge find", EVERBRIDGE_PAGE:format(#rows, table.concat(rows, ",")))
  end
  ngx.req.read_body()
  return say("everbridge write", '{"message":"OK","id":' .. path:match("(%d+)$") .. '}')
end

local function sendgrid(path)
  if path == "/contacts" then
    ngx.req.read_body()
    return say("sendgrid write", '{"job_id":"' .. ngx.var.request_id .. '"}', 202)
  end
  return say("sendgrid names", lists.sendgrid[path:match("^/([%a_]+)")])
end

local uri = ngx.var.uri
ngx.header.content_type = "application/json"
if uri == "/calls" then
  -- What was called since the last time that this was asked.
  local told = {}
  for _, kind in ipairs(counted:get_keys(0)) do
    told[#told + 1] = ('"%s":%d'):format(kind, counted:get(kind))
  end
  counted:flush_all()
  ngx.print("{", table.concat(told, ","), "}")
elseif uri:sub(1, 5) == "/ivvy" then
  ivvy(ngx.var.arg_action)
elseif uri:sub(1, 11) == "/everbridge" then
  everbridge(uri:match("^/everbridge/rest(.*)"), ngx.req.get_method())
else
  sendgrid(uri:match("^/sendgrid/v3/marketing(.*)"))
end
